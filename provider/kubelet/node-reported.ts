import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { readJournal } from "../host/systemd";
import { proveHealthy, type HealthState } from "../host/prove-healthy";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { isReady } from "../kube/cordon";
import { kubeletVersionOf } from "../kube/node-facts";
import { readNodeOrCause, type NodeRoute } from "../kube/read-node";

/** The node of a kubelet. */
export interface KubeletNode extends NodeRoute {
  /** Version that the kubelet must report, without the prefix `v`. */
  version?: string | undefined;
}

/**
 * Prints when the kubelet started, in seconds since the epoch; nothing on a machine that is no member of a cluster. The
 * node's conditions have the same clock.
 */
const START_SCRIPT = `[ -e /etc/kubernetes/kubelet.conf ] || exit 0
started=$(systemctl show -p ActiveEnterTimestampMonotonic --value kubelet.service)
awk -v now="$(date +%s)" -v started="$started" '{printf "%d\\n", now - $1 + started / 1e6 - 1}' /proc/uptime`;

/** Reads when the kubelet of a member started. @returns undefined on a machine that is no member of a cluster */
async function readStart(machine: Remote, signal: AbortSignal): Promise<number | undefined> {
  const { stdout } = await machine.read(START_SCRIPT, { step: "reading the kubelet's start", signal });
  return stdout.trim() === "" ? undefined : Number(stdout);
}

/** Whether the node of a running kubelet is Ready. True where it is not known, because the API does not answer. */
export async function wasReady(context: Context, machine: Remote, node: KubeletNode): Promise<boolean> {
  if ((await readStart(machine, context.signal)) === undefined) return true;
  const answer = await readNodeOrCause(context, node);
  return typeof answer === "string" || isReady(answer);
}

/**
 * Waits until a started kubelet has reported its node as Ready, with the configured version. Does nothing on a machine
 * that is no member of a cluster.
 * @param mustBeReady false if the node was not Ready before: then the report itself is enough
 * @throws StepError with the kubelet's last lines at the deadline
 */
export async function proveNodeReported(
  context: Context,
  machine: Remote,
  node: KubeletNode,
  mustBeReady: boolean,
): Promise<void> {
  const { signal } = context;
  const started = await readStart(machine, signal);
  if (started === undefined) return;
  await proveHealthy(context, machine, {
    name: "kubelet.service",
    check: async () => findProblem(await readNodeOrCause(context, node), { ...node, started, mustBeReady }),
    readLog: () => readJournal(machine, "kubelet.service", signal),
    action: `see \`kubectl describe node ${node.name}\`, and \`journalctl -u kubelet\` on the machine`,
  });
}

function findProblem(
  node: V1Node | string,
  { version, started, mustBeReady }: { version?: string | undefined; started: number; mustBeReady: boolean },
): HealthState {
  if (typeof node === "string") return { waiting: node };
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  const reported = new Date(ready?.lastHeartbeatTime ?? 0).getTime() / 1_000;
  if (!ready || ready.status === "Unknown" || reported < started)
    return { waiting: "its node has not reported since the start" };
  const actual = kubeletVersionOf(node);
  if (version !== undefined && actual !== version)
    return { waiting: `its node reports version ${actual}, not ${version}` };
  if (ready.status === "True" || !mustBeReady) return "healthy";
  return { waiting: `its node is not Ready: ${ready.message ?? ready.reason}` };
}
