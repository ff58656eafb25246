import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { optional } from "../../common/optional";
import type { KubeApi } from "./api";
import { retryRequest } from "./retry";

const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Lists the pods that are assigned to a node, or those of them that a label selector matches. */
export async function listPodsOnNode(
  api: KubeApi,
  node: string,
  signal: AbortSignal,
  labelSelector?: string,
): Promise<V1Pod[]> {
  const list = await retryRequest(api, "listing pods", signal, () =>
    api.core.listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${node}`, ...optional({ labelSelector }) }),
  );
  return list.items;
}

/**
 * Returns whether a drain evicts the pod. Finished pods, mirror pods and pods of a DaemonSet stay: a DaemonSet ignores
 * cordons and would recreate its pod immediately.
 */
export function isEvictable(pod: V1Pod): boolean {
  return !isMirrorPod(pod) && controllerOf(pod)?.kind !== "DaemonSet" && !isFinished(pod);
}

/** Returns whether the pod mirrors a static pod. Deleting a mirror pod does not stop the static pod. */
export function isMirrorPod({ metadata }: V1Pod): boolean {
  return metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

/** Returns whether the pod has succeeded or failed. */
export function isFinished({ status }: V1Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/** Returns whether the pod has been deleted and is shutting down. */
export function isTerminating({ metadata }: V1Pod): boolean {
  return metadata?.deletionTimestamp !== undefined && metadata.deletionTimestamp !== null;
}

/** Returns whether the pod serves its Services: Ready and not terminating. */
export function isPodReady(pod: V1Pod): boolean {
  const conditions = pod.status?.conditions ?? [];
  return !isTerminating(pod) && conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

/** Returns whether the pod has an emptyDir volume, whose data is deleted together with the pod. */
export function hasLocalData({ spec }: V1Pod): boolean {
  return spec?.volumes?.some(({ emptyDir }) => emptyDir !== undefined && emptyDir !== null) === true;
}

/** Returns the controller that recreates the pod after its deletion. */
export function controllerOf({ metadata }: V1Pod): { kind: string; name: string; uid: string } | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller);
}

/** Returns a key that is equal for all pods of one controller. */
export function workloadOf(pod: V1Pod): string {
  return controllerOf(pod)?.uid ?? podUid(pod);
}

export function podUid(pod: V1Pod): string {
  return pod.metadata?.uid ?? podName(pod);
}

/** Returns `namespace/name`. */
export function podName({ metadata }: V1Pod): string {
  return `${metadata?.namespace ?? "default"}/${metadata?.name ?? ""}`;
}

/** Returns `a, b, c and 4 more`. */
export function summarizeNames(names: readonly string[], limit = 3): string {
  const hidden = names.length - limit;
  return names.slice(0, limit).join(", ") + (hidden > 0 ? ` and ${hidden} more` : "");
}
