import type { Stack } from "@pulumi/pulumi/automation";
import { timeoutSignal } from "../../common/timer";
import { messageOf } from "../../common/errors";
import type { KubeApi } from "../../provider/kube/api";
import { clusterApi } from "../engine/cluster-api";
import type { Session } from "../engine/session";
import { controlPlanes } from "../engine/state";
import { stackCommand } from "../terminal/options";
import { table } from "../terminal/text";
import { clusterStatus, type ClusterStatus, type NodeStatus } from "./cluster-status";

/** Milliseconds until a cluster that does not answer is reported. */
const LIMIT_MS = 20_000;

/**
 * Returns the nodes as `kubectl get nodes` lists them, and their problems as warnings; undefined where there is no
 * cluster. The run has succeeded, so an API that does not answer is a warning too.
 * @param connect for tests
 */
export async function closingTable(
  stack: Stack,
  session: Pick<Session, "provider" | "signal">,
  connect: (limited: Pick<Session, "provider" | "signal">) => Promise<KubeApi> = (limited) =>
    clusterApi(stack, limited),
): Promise<string | undefined> {
  if ((await controlPlanes(stack)).length === 0) return undefined;
  const signal = timeoutSignal(LIMIT_MS, session.signal);
  try {
    const api = await connect({ provider: session.provider, signal });
    return closingText(await clusterStatus(api, { signal }));
  } catch (error) {
    session.signal.throwIfAborted();
    const status = stackCommand("status", stack.name);
    return `warning: the nodes could not be listed: ${messageOf(error)}; check the cluster with \`${status}\``;
  }
}

function closingText({ nodes, problems }: ClusterStatus): string {
  const rows = nodes.map((node) => [
    node.name,
    statusOf(node),
    node.roles.join(",") || "<none>",
    ageOf(node.created),
    `v${node.version}`,
    node.address,
    node.runtime.replace(" ", "://"),
  ]);
  const header = ["NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP", "CONTAINER-RUNTIME"];
  return [...table([header, ...rows]), ...problems.map((problem) => `warning: ${problem}`)].join("\n");
}

function statusOf({ ready, cordoned }: NodeStatus): string {
  return `${ready ? "Ready" : "NotReady"}${cordoned ? ",SchedulingDisabled" : ""}`;
}

/** `42s`, `7m`, `3h`, `12d` */
function ageOf(created: string): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(created)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
