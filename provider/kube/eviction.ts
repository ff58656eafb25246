import type { V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import type { KubeApi } from "./api";
import { describeBudget, matchingBudgets } from "./budgets";
import { ignoreNotFound, isTransient, reasonOf, statusOf } from "./errors";
import { podName } from "./pods";

export type EvictionOutcome = { kind: "evicted" } | { kind: "gone" } | { kind: "refused"; reason: string };

export interface EvictionOptions {
  budgets: readonly V1PodDisruptionBudget[];
  /** Seconds that replace the pod's own terminationGracePeriodSeconds. */
  gracePeriod?: number | undefined;
}

/**
 * Requests the eviction of a pod. A refusal that may pass is an outcome and not an error: 429 (a PodDisruptionBudget
 * allows no eviction now), 409 and 5xx (the API server is busy), 403 while the namespace is being terminated. The uid
 * precondition keeps a new pod of the same name, such as a StatefulSet's, from being evicted instead.
 * @throws StepError when the eviction can never succeed
 */
export async function evictPod(
  api: KubeApi,
  pod: V1Pod,
  { budgets, gracePeriod }: EvictionOptions,
): Promise<EvictionOutcome> {
  const { name = "", namespace = "", uid } = pod.metadata ?? {};
  const preconditions = uid === undefined ? undefined : { uid };
  const deleteOptions = optional({ preconditions, gracePeriodSeconds: gracePeriod });
  const body = { metadata: { name, namespace }, deleteOptions };
  try {
    await api.core.createNamespacedPodEviction({ name, namespace, body });
    return { kind: "evicted" };
  } catch (error) {
    if (statusOf(error) === 404) return { kind: "gone" };
    return refusalOf(pod, matchingBudgets(pod, budgets), error);
  }
}

function refusalOf(pod: V1Pod, budgets: readonly V1PodDisruptionBudget[], error: unknown): EvictionOutcome {
  const status = statusOf(error);
  // The API server answers 500 when more than one PodDisruptionBudget selects the pod.
  const hasTwoBudgets = status === 500 && budgets.length > 1;
  const isBlocked = status === 429 && budgets.length > 0;
  const names = budgets.map(describeBudget).join(" and ");
  const refuser = hasTwoBudgets || isBlocked ? names : `the API server: ${reasonOf(error)}`;
  const reason = `${podName(pod)}: eviction refused by ${refuser}`;
  if (!hasTwoBudgets && mayPass(error)) return { kind: "refused", reason };
  throw new StepError({
    step: "drain",
    machine: pod.spec?.nodeName ?? podName(pod),
    cause: hasTwoBudgets ? `${reason}; a pod that two budgets select cannot be evicted` : reason,
    action: hasTwoBudgets
      ? "delete all but one of these PodDisruptionBudgets"
      : "change the policy or webhook that refuses the eviction, then run again",
  });
}

function mayPass(error: unknown): boolean {
  const status = statusOf(error);
  const isTerminating = status === 403 && /is being terminated/.test(reasonOf(error));
  return isTransient(error) || status === 409 || isTerminating;
}

/** Deletes a pod from the API without waiting for its kubelet to stop it. */
export async function forceDeletePod(api: KubeApi, pod: V1Pod): Promise<void> {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  await ignoreNotFound(api.core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 }));
}
