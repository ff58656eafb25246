import type { V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "./api";
import { describeBudget, matchingBudgets } from "./budgets";
import { ignoreNotFound, reasonOf, statusOf } from "./errors";
import { podName } from "./pods";

export type EvictionOutcome = { kind: "evicted" } | { kind: "gone" } | { kind: "refused"; reason: string };

/**
 * Requests the eviction of a pod. A refusal is an outcome and not an error, because a later attempt may succeed: 429
 * (a PodDisruptionBudget allows no eviction now), 409 and 5xx (the API server is busy), 403 (the namespace terminates).
 * The uid precondition keeps a new pod of the same name, such as a StatefulSet's, from being evicted instead.
 */
export async function evictPod(
  api: KubeApi,
  pod: V1Pod,
  budgets: readonly V1PodDisruptionBudget[],
): Promise<EvictionOutcome> {
  const { name = "", namespace = "", uid } = pod.metadata ?? {};
  const deleteOptions = uid === undefined ? {} : { deleteOptions: { preconditions: { uid } } };
  const body = { metadata: { name, namespace }, ...deleteOptions };
  try {
    await api.core.createNamespacedPodEviction({ name, namespace, body });
    return { kind: "evicted" };
  } catch (error) {
    if (statusOf(error) === 404) return { kind: "gone" };
    return { kind: "refused", reason: `${podName(pod)}: eviction refused by ${describeRefusal(pod, budgets, error)}` };
  }
}

function describeRefusal(pod: V1Pod, budgets: readonly V1PodDisruptionBudget[], error: unknown): string {
  const status = statusOf(error);
  const matching = status === 429 || status === 500 ? matchingBudgets(pod, budgets) : [];
  if (matching.length === 0) return `the API server: ${reasonOf(error)}`;
  const names = matching.map(describeBudget).join(" and ");
  return matching.length > 1 ? `${names}; a pod that two budgets select cannot be evicted` : names;
}

/** Deletes a pod from the API without waiting for its kubelet to stop it. */
export async function forceDeletePod(api: KubeApi, pod: V1Pod): Promise<void> {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  await ignoreNotFound(api.core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 }));
}
