import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "./api";
import { retryRequest } from "./retry";

const MIRROR = "kubernetes.io/config.mirror";

export async function listPodsOnNode(api: KubeApi, node: string, signal: AbortSignal): Promise<V1Pod[]> {
  const list = await retryRequest("listing pods", signal, () =>
    api.core.listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${node}` }),
  );
  return list.items;
}

/** The pods that a drain moves away: not DaemonSets' (they come back at once), not mirrors of static pods, not finished ones. */
export function isEvictable(pod: V1Pod): boolean {
  return !isMirrorPod(pod) && controllerOf(pod)?.kind !== "DaemonSet" && !isFinished(pod);
}

/** The API's picture of a pod that the kubelet runs from a file; deleting it deletes nothing. */
export function isMirrorPod({ metadata }: V1Pod): boolean {
  return metadata?.annotations?.[MIRROR] !== undefined;
}

export function isFinished({ status }: V1Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

export function isTerminating({ metadata }: V1Pod): boolean {
  return metadata?.deletionTimestamp !== undefined && metadata.deletionTimestamp !== null;
}

/** Serves: its readiness is what Services go by. */
export function isPodReady(pod: V1Pod): boolean {
  return (
    !isTerminating(pod) &&
    pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true
  );
}

/** An emptyDir ends with its pod. */
export function hasLocalData({ spec }: V1Pod): boolean {
  return spec?.volumes?.some(({ emptyDir }) => emptyDir !== undefined && emptyDir !== null) === true;
}

/** What makes the pod anew when it is gone. */
export function controllerOf({ metadata }: V1Pod): { kind: string; name: string; uid: string } | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller);
}

/** Pods of one workload stand in for one another. */
export function workloadOf(pod: V1Pod): string {
  return controllerOf(pod)?.uid ?? podUid(pod);
}

export function podUid(pod: V1Pod): string {
  return pod.metadata?.uid ?? podName(pod);
}

/** `shop/cart-7d4` */
export function podName({ metadata }: V1Pod): string {
  return `${metadata?.namespace ?? "default"}/${metadata?.name ?? ""}`;
}

/** `a, b, c and 4 more` */
export function summarizeNames(names: readonly string[], most = 3): string {
  const rest = names.length - most;
  return names.slice(0, most).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
