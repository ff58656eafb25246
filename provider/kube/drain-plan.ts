import type { KubeApi } from "./api";
import { listBudgets, allowsNoDisruption, matchingBudgets, describeBudget } from "./budgets";
import { forecastCapacity, type CapacityForecast } from "./capacity";
import { isCordoned, isReady, requireNode } from "./cordon";
import { DRAIN_DEFAULTS, type DrainSettings } from "../../contracts/drain";
import { findRiskyPods } from "./drain-options";
import { isPodReady, isEvictable, podName } from "./pods";
import { retryRequest } from "./retry";

export interface DrainPlan extends CapacityForecast {
  node: string;
  /** Would a drain with these rules end well now? */
  possible: boolean;
  /** Why not, one sentence each. */
  obstacles: string[];
  ready: boolean;
  cordoned: boolean;
  /** Pods that move, in all. */
  pods: number;
  /** Budgets that allow no eviction now, with the pods on this node that they hold. */
  blocking: { budget: string; pods: string[] }[];
  localData: string[];
  unmanaged: string[];
}

/** What a drain would meet, without changing anything: for previews. */
export async function planDrain(
  api: KubeApi,
  node: string,
  given: Partial<DrainSettings>,
  signal: AbortSignal,
): Promise<DrainPlan> {
  const rules = { ...DRAIN_DEFAULTS, ...given };
  const [live, nodes, all, budgets] = await Promise.all([
    requireNode(api, node, signal),
    retryRequest("listing nodes", signal, () => api.core.listNode()),
    retryRequest("listing pods", signal, () => api.core.listPodForAllNamespaces()),
    listBudgets(api, signal),
  ]);
  const moving = all.items.filter((pod) => pod.spec?.nodeName === node && isEvictable(pod));
  const blocking = budgets
    .filter(allowsNoDisruption)
    .map((budget) => ({
      budget: describeBudget(budget),
      pods: moving.filter((pod) => isPodReady(pod) && matchingBudgets(pod, [budget]).length > 0).map(podName),
    }))
    .filter(({ pods }) => pods.length > 0);
  const found = { blocking, ...findRiskyPods(moving), ...forecastCapacity(node, nodes.items, all.items) };
  const obstacles = listObstacles(found, rules);
  return {
    node,
    ready: isReady(live),
    cordoned: isCordoned(live),
    pods: moving.length,
    ...found,
    obstacles,
    possible: obstacles.length === 0,
  };
}

type Found = Pick<DrainPlan, "blocking" | "localData" | "unmanaged" | "unschedulable">;

/** A pod without a place elsewhere would be evicted and then wait: the drain goes on, but what the pod serves does not. */
function listObstacles({ blocking, localData, unmanaged, unschedulable }: Found, rules: DrainSettings): string[] {
  const refused = (rule: "localData" | "unmanaged", names: string[], why: string) =>
    rules.force || rules[rule] === "delete"
      ? []
      : names.map((name) => `${name} ${why}; say that it may go with drain.${rule}: delete`);
  return [
    ...blocking.map(({ budget, pods }) => `${pods.join(", ")} is held back by ${budget}`),
    ...refused("localData", localData, "would lose the data in an emptyDir"),
    ...refused("unmanaged", unmanaged, "would not be made again"),
    ...unschedulable,
  ];
}
