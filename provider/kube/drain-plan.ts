import type { V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { DRAIN_DEFAULTS, type DrainSettings } from "../../contracts/drain";
import type { KubeApi } from "./api";
import { allowsNoDisruption, describeBudget, listBudgets, matchingBudgets } from "./budgets";
import { forecastCapacity, type CapacityForecast } from "./capacity";
import { isCordoned, isReady, requireNode } from "./cordon";
import { findRiskyPods, type RiskyPods } from "./drain-options";
import { isEvictable, isPodReady, podName } from "./pods";
import { retryRequest } from "./retry";

/** A PodDisruptionBudget that allows no eviction now, with the pods on the node that it selects. */
interface BlockingBudget {
  budget: string;
  pods: string[];
}

export interface DrainPlan extends CapacityForecast, RiskyPods {
  node: string;
  /** Whether a drain with these rules would succeed now. */
  possible: boolean;
  /** What would stop the drain, one sentence each. */
  obstacles: string[];
  ready: boolean;
  cordoned: boolean;
  /** Number of pods to evict. */
  pods: number;
  blocking: BlockingBudget[];
}

/** Forecasts a drain for a preview. Changes nothing. */
export async function planDrain(
  api: KubeApi,
  node: string,
  settings: Partial<DrainSettings>,
  signal: AbortSignal,
): Promise<DrainPlan> {
  const [live, nodes, pods, budgets] = await Promise.all([
    requireNode(api, node, signal),
    retryRequest(api, "listing nodes", signal, () => api.core.listNode()),
    retryRequest(api, "listing pods", signal, () => api.core.listPodForAllNamespaces()),
    listBudgets(api, signal),
  ]);
  const evictable = pods.items.filter((pod) => pod.spec?.nodeName === node && isEvictable(pod));
  const forecast = {
    blocking: listBlockingBudgets(evictable, budgets),
    ...findRiskyPods(evictable),
    ...forecastCapacity(node, nodes.items, pods.items),
  };
  const obstacles = listObstacles(forecast, { ...DRAIN_DEFAULTS, ...settings });
  return {
    node,
    ready: isReady(live),
    cordoned: isCordoned(live),
    pods: evictable.length,
    ...forecast,
    obstacles,
    possible: obstacles.length === 0,
  };
}

function listBlockingBudgets(pods: readonly V1Pod[], budgets: readonly V1PodDisruptionBudget[]): BlockingBudget[] {
  return budgets
    .filter(allowsNoDisruption)
    .map((budget) => ({
      budget: describeBudget(budget),
      pods: pods.filter((pod) => isPodReady(pod) && matchingBudgets(pod, [budget]).length > 0).map(podName),
    }))
    .filter((blocking) => blocking.pods.length > 0);
}

type Forecast = Pick<DrainPlan, "blocking" | "localData" | "unmanaged" | "unschedulable">;

/** A pod that fits nowhere else does not stop the drain, but its workload would stay down: it counts as an obstacle. */
function listObstacles({ blocking, localData, unmanaged, unschedulable }: Forecast, rules: DrainSettings): string[] {
  const refused = (rule: "localData" | "unmanaged", sentences: string[]) =>
    rules.force || rules[rule] === "delete"
      ? []
      : sentences.map((text) => `${text}; allow it with drain.${rule}: delete`);
  return [
    ...blocking.map(({ budget, pods }) => `${pods.join(", ")}: eviction refused by ${budget}`),
    ...refused(
      "localData",
      localData.map((pod) => `${pod} would lose the data of an emptyDir volume`),
    ),
    ...refused(
      "unmanaged",
      unmanaged.map((pod) => `no controller would recreate ${pod}`),
    ),
    ...unschedulable,
  ];
}
