import type { V1LabelSelector, V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};
import type { KubeApi } from "./api";
import { retryRequest } from "./retry";

export async function listBudgets(api: KubeApi, signal: AbortSignal): Promise<V1PodDisruptionBudget[]> {
  const list = await retryRequest("listing budgets", signal, () =>
    api.policy.listPodDisruptionBudgetForAllNamespaces(),
  );
  return list.items;
}

/** The PodDisruptionBudgets that count this pod. */
export function matchingBudgets(pod: V1Pod, budgets: readonly V1PodDisruptionBudget[]): V1PodDisruptionBudget[] {
  const labels = pod.metadata?.labels ?? {};
  return budgets.filter(
    ({ metadata, spec }) => metadata?.namespace === pod.metadata?.namespace && matchesSelector(spec?.selector, labels),
  );
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/: an empty selector selects all, an absent one none. */
export function matchesSelector(
  selector: V1LabelSelector | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (!selector) return false;
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    exact &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      if (operator === "In") return value !== undefined && values.includes(value);
      return value === undefined || !values.includes(value); // NotIn
    })
  );
}

/** `budget shop/web (2 of its pods must stay, 2 are healthy)` */
export function describeBudget({ metadata, status }: V1PodDisruptionBudget): string {
  const name = `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
  if (!status || status.desiredHealthy === undefined) return `budget ${name}`;
  return `budget ${name} (${status.desiredHealthy} of its pods must stay, ${status.currentHealthy} are healthy)`;
}

export function allowsNoDisruption({ status }: V1PodDisruptionBudget): boolean {
  return (status?.disruptionsAllowed ?? 0) === 0;
}
