import type { V1DaemonSet, V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { Progress } from "../../common/progress";
import type { KubeApi } from "./api";
import { ignoreNotFound } from "./errors";
import { controllerOf, isPodReady, isTerminating, podName, summarizeNames } from "./pods";
import { retryRequest } from "./retry";
import { untilReplaced } from "./until-replaced";

export interface DaemonSetName {
  namespace: string;
  name: string;
}

export interface Replacement extends DaemonSetName {
  /** Annotation of the pod template, and the value that the pods must have. */
  annotation: string;
  value: string;
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
  status: Progress;
}

/** Pods of a DaemonSet. */
export interface DaemonPods {
  /** Number of nodes that must have a pod. Undefined before the controller has seen the DaemonSet. */
  nodes: number | undefined;
  pods: readonly V1Pod[];
}

/**
 * Replaces the pods of a DaemonSet whose update strategy is OnDelete, and waits until every node has a Ready pod of the
 * new revision. The others are replaced only once one of the new revision is Ready.
 * @throws StepError at the deadline, with the pods that are not Ready
 */
export async function replaceDaemonPods(api: KubeApi, replacement: Replacement): Promise<void> {
  const { signal, name } = replacement;
  await untilReplaced(api, { ...replacement, what: `the pods of ${name}`, previous: "revision" }, async () => {
    const pods = await readDaemonPods(api, replacement, signal);
    await Promise.all(podsToReplace(pods, replacement).map((pod) => deletePod(api, pod, signal)));
    return describePods(pods, replacement);
  });
}

/** Reads the pods that a DaemonSet controls. */
export async function readDaemonPods(
  api: KubeApi,
  { namespace, name }: DaemonSetName,
  signal: AbortSignal,
): Promise<DaemonPods> {
  const daemonSet = await retryRequest(api, `reading the DaemonSet ${name}`, signal, () =>
    api.apps.readNamespacedDaemonSet({ namespace, name }),
  );
  const labels = Object.entries(daemonSet.spec?.selector.matchLabels ?? {});
  const labelSelector = labels.map(([key, value]) => `${key}=${value}`).join(",");
  const { items } = await retryRequest(api, `listing the pods of ${name}`, signal, () =>
    api.core.listNamespacedPod({ namespace, labelSelector }),
  );
  return { nodes: nodesOf(daemonSet), pods: items.filter((pod) => controllerOf(pod)?.name === name) };
}

function nodesOf({ metadata, status }: V1DaemonSet): number | undefined {
  return status?.observedGeneration === metadata?.generation ? status?.desiredNumberScheduled : undefined;
}

type Revision = Pick<Replacement, "annotation" | "value">;

/** Returns the pods that are to be deleted now. */
export function podsToReplace({ nodes, pods }: DaemonPods, revision: Revision): V1Pod[] {
  // The controller would recreate them with the template that it knows.
  if (nodes === undefined) return [];
  const outdated = pods.filter((pod) => !hasRevision(pod, revision) && !isTerminating(pod));
  const replaced = pods.filter((pod) => hasRevision(pod, revision));
  if (replaced.some(isPodReady)) return outdated;
  const isUnderWay = replaced.length > 0 || pods.some(isTerminating) || pods.length < nodes;
  return isUnderWay ? [] : [outdated.find(isPodReady) ?? outdated[0]].filter((pod) => pod !== undefined);
}

/** Returns why the pods are not all replaced. An empty text means that they are. */
function describePods({ nodes, pods }: DaemonPods, revision: Revision): string {
  if (nodes === undefined) return "the controller manager has not seen the new revision";
  const ready = pods.filter((pod) => hasRevision(pod, revision) && isPodReady(pod));
  if (ready.length >= nodes && ready.length === pods.length) return "";
  const others = pods.filter((pod) => !ready.includes(pod)).map(describePod);
  const rest = others.length > 0 ? `: ${summarizeNames(others)}` : "";
  return `${ready.length} of ${nodes} pods have the new revision and are Ready${rest}`;
}

function describePod(pod: V1Pod): string {
  const waiting = pod.status?.containerStatuses?.map(({ state }) => state?.waiting?.reason).find(Boolean);
  return `${podName(pod)} on ${pod.spec?.nodeName ?? "no node"}${waiting === undefined ? "" : ` (${waiting})`}`;
}

/** Returns whether the pod was created from the template of the revision. */
export function hasRevision({ metadata }: V1Pod, { annotation, value }: Revision): boolean {
  return metadata?.annotations?.[annotation] === value;
}

async function deletePod(api: KubeApi, pod: V1Pod, signal: AbortSignal): Promise<void> {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  await retryRequest(api, `deleting the pod ${podName(pod)}`, signal, () =>
    ignoreNotFound(api.core.deleteNamespacedPod({ namespace, name })),
  );
}
