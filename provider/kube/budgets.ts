import type { V1LabelSelector, V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};
import type { KubeApi } from "./api";
import { retryRequest } from "./retry";

/** Lists the PodDisruptionBudgets of all namespaces. */
export async function listBudgets(api: KubeApi, signal: AbortSignal): Promise<V1PodDisruptionBudget[]> {
  const list = await retryRequest(api, "listing PodDisruptionBudgets", signal, () =>
    api.policy.listPodDisruptionBudgetForAllNamespaces(),
  );
  return list.items;
}

/** Returns the PodDisruptionBudgets that select the pod. */
export function matchingBudgets(pod: V1Pod, budgets: readonly V1PodDisruptionBudget[]): V1PodDisruptionBudget[] {
  const labels = pod.metadata?.labels ?? {};
  return budgets.filter(
    ({ metadata, spec }) => metadata?.namespace === pod.metadata?.namespace && matchesSelector(spec?.selector, labels),
  );
}

/**
 * Returns whether a label selector matches. An empty selector matches everything, an absent one nothing:
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
 */
export function matchesSelector(
  selector: V1LabelSelector | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (!selector) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => matchesExpression(labels[key], operator, values))
  );
}

function matchesExpression(value: string | undefined, operator: string, values: readonly string[]): boolean {
  if (operator === "Exists") return value !== undefined;
  if (operator === "DoesNotExist") return value === undefined;
  if (operator === "In") return value !== undefined && values.includes(value);
  return value === undefined || !values.includes(value); // NotIn
}

/** Returns `PodDisruptionBudget shop/web (2 healthy, 2 required)`. */
export function describeBudget({ metadata, status }: V1PodDisruptionBudget): string {
  const name = `PodDisruptionBudget ${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
  if (!status || status.desiredHealthy === undefined) return name;
  return `${name} (${status.currentHealthy} healthy, ${status.desiredHealthy} required)`;
}

/** Returns whether the budget allows no eviction now. */
export function allowsNoDisruption({ status }: V1PodDisruptionBudget): boolean {
  return (status?.disruptionsAllowed ?? 0) === 0;
}
