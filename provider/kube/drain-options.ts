import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { DrainSettings } from "../../contracts/drain";
import type { Progress } from "../../common/progress";
import type { MachineState } from "./dead-node";
import { controllerOf, hasLocalData, isEvictable, podName, summarizeNames } from "./pods";

export interface DrainOptions extends Partial<DrainSettings> {
  node: string;
  signal: AbortSignal;
  status: Progress;
  /**
   * Reports whether the machine of a node that is not Ready is gone, before the deadline (as in `Date.now()`). Without
   * it, the machine counts as present.
   */
  isGone?: (deadline: number) => Promise<MachineState>;
  /** Seconds to wait for a replacement to become Ready before the next pod of its workload is evicted. @default 60 */
  patience?: number;
  /** Label selector (`app=web`) of the pods to evict. Other pods stay. */
  podSelector?: string;
  /** Leaves the node cordoned when the drain fails. @default false */
  stayCordoned?: boolean;
}

/** Pods that a drain deletes only with the user's consent. */
export interface RiskyPods {
  localData: string[];
  unmanaged: string[];
}

/** Returns the pods that a drain would delete with their data, or for good. */
export function findRiskyPods(pods: readonly V1Pod[]): RiskyPods {
  const evictable = pods.filter(isEvictable);
  return {
    localData: evictable.filter(hasLocalData).map(podName),
    unmanaged: evictable.filter((pod) => controllerOf(pod) === undefined).map(podName),
  };
}

/** Checks, before anything is changed, that the rules allow the loss of every pod. @throws StepError otherwise */
export function rejectRiskyPods(node: string, pods: readonly V1Pod[], rules: DrainSettings): void {
  if (rules.force) return;
  const { localData, unmanaged } = findRiskyPods(pods);
  const causes: string[] = [];
  const settings: string[] = [];
  if (rules.localData === "refuse" && localData.length > 0) {
    causes.push(`deleting ${summarizeNames(localData)} would delete the data of an emptyDir volume`);
    settings.push("drain.localData: delete (--delete-local-data)");
  }
  if (rules.unmanaged === "refuse" && unmanaged.length > 0) {
    causes.push(`no controller would recreate ${summarizeNames(unmanaged)}`);
    settings.push("drain.unmanaged: delete (--delete-unmanaged)");
  }
  if (causes.length === 0) return;
  throw new StepError({
    step: "drain",
    machine: node,
    cause: causes.join("; "),
    action: `nothing was changed; to drain the node anyway, set ${settings.join(" and ")}`,
  });
}
