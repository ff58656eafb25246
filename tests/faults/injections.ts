import { output } from "../../common/process";
import { until } from "../../common/wait";
import type { FaultContext, Undo } from "./cell";

/**
 * Faults of machines and processes. They act through Docker instead of SSH, so that they work on a machine in any
 * state.
 */

const DEADLINE_SECONDS = 60;
const SMALL = "32m";
const LARGE = "4g";
const TABLE = "kubewright_fault";

/** Runs a shell script as root on the target. */
async function onTarget({ cluster, operation }: FaultContext, script: string): Promise<string> {
  return await cluster.on(operation.target, script);
}

/**
 * Process titles of SSH sessions. The listener's title has a path; OpenSSH 9.8 and later name the sessions
 * sshd-session.
 */
const SESSION = "^sshd(-session)?: [^/]";

/** Kills the processes of the SSH sessions and prints how many of them have ended after five seconds at most. */
export const KILL_SESSIONS = `pids=$(pgrep -f '${SESSION}') || exit 0
kill -KILL $pids 2>/dev/null
tries=50
while [ $tries -gt 0 ] && kill -0 $pids 2>/dev/null; do sleep 0.1; tries=$((tries - 1)); done
ended=0
for pid in $pids; do kill -0 $pid 2>/dev/null || ended=$((ended + 1)); done
echo $ended`;

/** Kills all SSH sessions. Waits for one, since the command may connect after the phase has begun. */
export async function cutSessions(context: FaultContext): Promise<void> {
  await retryUntil(async () => Number(await onTarget(context, KILL_SESSIONS)) > 0, "no SSH session was open");
}

/** Stops sshd with its sessions and starts it again. */
export async function restartSshd(context: FaultContext): Promise<void> {
  const script = `pgrep -f '${SESSION}' >/dev/null || exit 0
systemctl stop ssh
killed=$(${KILL_SESSIONS})
systemctl start ssh
echo $killed`;
  await retryUntil(async () => Number(await onTarget(context, script)) > 0, "no SSH session was open");
}

/** Drops the packets of the connections that are open now, which it recognizes by the clients' ports. */
export async function dropPackets(context: FaultContext): Promise<Undo> {
  const listPorts = "ss -Htn state established sport = :22 | awk '{print $4}' | sed 's/.*://' | paste -sd,";
  let ports = "";
  await retryUntil(
    async () => (ports = (await onTarget(context, listPorts)).trim()) !== "",
    "no SSH connection was open",
  );
  const rules = [
    `table inet ${TABLE} {`,
    `chain in { type filter hook input priority -300; tcp dport 22 tcp sport { ${ports} } drop; }`,
    `chain out { type filter hook output priority -300; tcp sport 22 tcp dport { ${ports} } drop; }`,
    "}",
  ];
  await onTarget(context, `nft -f - <<'END'\n${rules.join("\n")}\nEND`);
  const removeTable = `nft delete table inet ${TABLE} 2>/dev/null || true`;
  // The machine may be gone: a replacement has no such table.
  return async () => void (await onTarget(context, removeTable).catch(() => undefined));
}

export async function powerCycle({ cluster, operation }: FaultContext): Promise<void> {
  await output("docker", ["restart", "--time", "1", cluster.containerName(operation.target)]);
}

export async function powerOff({ cluster, operation }: FaultContext): Promise<void> {
  await output("docker", ["kill", cluster.containerName(operation.target)]);
}

/** Signals a process, or a process group by its negative id. Fails when the process has ended. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, signal);
}

/** Mounts a small file system for the images, before containerd starts. */
export async function shrinkImageStore(context: FaultContext): Promise<Undo> {
  const folder = "/var/lib/containerd";
  await onTarget(context, `mount -t tmpfs -o size=${SMALL} tmpfs ${folder}`);
  return async () => void (await onTarget(context, `mount -o remount,size=${LARGE} ${folder}`));
}

/** Kills the kubelet that systemd started. kubeadm also runs the program, to read its version. */
export async function killKubelet(context: FaultContext): Promise<void> {
  const script = "pkill -KILL -P 1 -x kubelet && echo killed || true";
  await retryUntil(async () => (await onTarget(context, script)).includes("killed"), "kubelet does not run");
}

/** Returns a fault that kills a program of the control plane. */
export function killComponent(program: string): (context: FaultContext) => Promise<void> {
  const script = `pkill -KILL -x ${program} && echo killed || true`;
  return async ({ cluster }) =>
    await retryUntil(
      async () => (await cluster.on(cluster.controlPlane, script)).includes("killed"),
      `${program} does not run`,
    );
}

/** Tries until the fault has hit something. @throws Error with the reason when it does not hit anything in time */
async function retryUntil(attempt: () => Promise<boolean>, reason: string): Promise<void> {
  await until(async () => ((await attempt()) ? true : undefined), {
    signal: AbortSignal.timeout(2 * DEADLINE_SECONDS * 1000),
    timeout: DEADLINE_SECONDS,
    every: 100,
    onTimeout: () => new Error(`the fault hit nothing: ${reason}`),
  });
}
