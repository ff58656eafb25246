import type { V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "./api";
import { matchingBudgets, describeBudget } from "./budgets";
import { ignoreNotFound, reasonOf, statusOf } from "./errors";
import { podName } from "./pods";

export type EvictionOutcome = { kind: "evicted" } | { kind: "gone" } | { kind: "refused"; why: string };

/**
 * Asks for one eviction; a refusal is an answer, for which the next round is another try: 429 (a budget forbids it now), 409 and 5xx
 * (the API server is busy with something), 403 (its namespace is ending, and the pod with it). The uid makes sure that a namesake,
 * such as a StatefulSet's new pod, is not evicted in its place.
 */
export async function evictPod(
  api: KubeApi,
  pod: V1Pod,
  budgets: readonly V1PodDisruptionBudget[],
): Promise<EvictionOutcome> {
  const { name = "", namespace = "", uid } = pod.metadata ?? {};
  try {
    const deleteOptions = uid === undefined ? {} : { deleteOptions: { preconditions: { uid } } };
    await api.core.createNamespacedPodEviction({
      name,
      namespace,
      body: { metadata: { name, namespace }, ...deleteOptions },
    });
    return { kind: "evicted" };
  } catch (error) {
    if (statusOf(error) === 404) return { kind: "gone" };
    return { kind: "refused", why: `${podName(pod)} is held back by ${describeRefusal(pod, budgets, error)}` };
  }
}

function describeRefusal(pod: V1Pod, budgets: readonly V1PodDisruptionBudget[], error: unknown): string {
  const status = statusOf(error);
  const matching = status === 429 || status === 500 ? matchingBudgets(pod, budgets) : [];
  if (matching.length === 0) return `the API server: ${reasonOf(error)}`;
  const names = matching.map(describeBudget).join(" and ");
  return matching.length > 1 ? `${names}; a pod that two budgets count cannot be evicted` : names;
}

/** Deletes without waiting for a kubelet that will not answer. */
export async function forceDeletePod(api: KubeApi, pod: V1Pod): Promise<void> {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  await ignoreNotFound(api.core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 }));
}
