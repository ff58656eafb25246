import { until } from "../../common/wait";
import { output } from "../../common/process";
import type { Lift, Scene } from "./cell";

/** What faults do to machines and processes: past SSH, through Docker, so that it works whatever state the machine is in. */

const PATIENCE_SECONDS = 60;
const SMALL = "32m";
const LARGE = "4g";
const TABLE = "kubewright_fault";

/** As root on the target. */
async function onTarget({ ground, operation }: Scene, script: string): Promise<string> {
  return await ground.on(operation.target, script);
}

const KILL_SESSIONS = "pkill -KILL -f '^sshd: [^/]' || true";

export async function cutSessions(scene: Scene): Promise<void> {
  await onTarget(scene, KILL_SESSIONS);
}

export async function restartSshd(scene: Scene): Promise<void> {
  await onTarget(scene, `systemctl stop ssh; ${KILL_SESSIONS}; systemctl start ssh`);
}

/** Only what is open now: the other ends are told apart by their ports. */
export async function dropPackets(scene: Scene): Promise<Lift> {
  const peers = await onTarget(
    scene,
    "ss -Htn state established sport = :22 | awk '{print $4}' | sed 's/.*://' | paste -sd,",
  );
  if (!peers) throw new Error("no SSH connection is open to be cut");
  const rules = [
    `table inet ${TABLE} {`,
    `chain in { type filter hook input priority -300; tcp dport 22 tcp sport { ${peers} } drop; }`,
    `chain out { type filter hook output priority -300; tcp sport 22 tcp dport { ${peers} } drop; }`,
    "}",
  ];
  await onTarget(scene, `nft -f - <<'END'\n${rules.join("\n")}\nEND`);
  // The machine may have been made anew meanwhile.
  return async () =>
    void (await onTarget(scene, `nft delete table inet ${TABLE} 2>/dev/null || true`).catch(() => undefined));
}

export async function powerCycle({ ground, operation }: Scene): Promise<void> {
  await output("docker", ["restart", "--time", "1", ground.container(operation.target)]);
}

export async function powerOff({ ground, operation }: Scene): Promise<void> {
  await output("docker", ["kill", ground.container(operation.target)]);
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, signal);
}

/** Nothing is there yet when the binaries are copied: containerd starts on the small file system. */
export async function shrinkImageStore(scene: Scene): Promise<Lift> {
  const folder = "/var/lib/containerd";
  await onTarget(scene, `mount -t tmpfs -o size=${SMALL} tmpfs ${folder}`);
  return async () => void (await onTarget(scene, `mount -o remount,size=${LARGE} ${folder}`));
}

/** kubeadm starts it in the course of the phase. Only systemd's own child: kubeadm asks a kubelet for its version too. */
export async function killKubelet(scene: Scene): Promise<void> {
  await killed(() => onTarget(scene, "pkill -KILL -P 1 -x kubelet && echo killed || true"), "kubelet");
}

export function killComponent(program: string): (scene: Scene) => Promise<void> {
  return async ({ ground }) =>
    await killed(() => ground.on(ground.controlPlane, `pkill -KILL -x ${program} && echo killed || true`), program);
}

async function killed(attempt: () => Promise<string>, program: string): Promise<void> {
  const once = async () => ((await attempt()).includes("killed") ? true : undefined);
  await until(once, {
    signal: AbortSignal.timeout(2 * PATIENCE_SECONDS * 1000),
    timeout: PATIENCE_SECONDS,
    every: 100,
    onTimeout: () => new Error(`${program} does not run`),
  });
}
