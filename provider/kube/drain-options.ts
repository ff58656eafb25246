import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { DrainSettings } from "../../contracts/drain";
import type { Progress } from "../../common/progress";
import type { MachineState } from "./dead-node";
import { summarizeNames, hasLocalData, isEvictable, podName, controllerOf } from "./pods";

export interface DrainOptions extends Partial<DrainSettings> {
  node: string;
  signal: AbortSignal;
  /** What goes on now. */
  status: Progress;
  /** Asked while the node is not Ready. Without it nothing is proved. */
  isGone?: () => Promise<MachineState>;
  /** Seconds for which the rest of a workload waits for a replacement to serve. Default 60. */
  patience?: number;
  /** A drain that fails leaves the node cordoned. */
  stayCordoned?: boolean;
}

/** Pods for which somebody must say that they may be lost. */
export interface RiskyPods {
  localData: string[];
  unmanaged: string[];
}

export function findRiskyPods(pods: readonly V1Pod[]): RiskyPods {
  const moving = pods.filter(isEvictable);
  return {
    localData: moving.filter(hasLocalData).map(podName),
    unmanaged: moving.filter((pod) => controllerOf(pod) === undefined).map(podName),
  };
}

/** @throws StepError before anything is changed. */
export function rejectRiskyPods(node: string, pods: readonly V1Pod[], rules: DrainSettings): void {
  if (rules.force) return;
  const { localData, unmanaged } = findRiskyPods(pods);
  const causes = [
    ...(rules.localData === "refuse" && localData.length > 0
      ? [`${summarizeNames(localData)} would lose the data in an emptyDir`]
      : []),
    ...(rules.unmanaged === "refuse" && unmanaged.length > 0
      ? [`${summarizeNames(unmanaged)} would not be made again, for no controller manages it`]
      : []),
  ];
  if (causes.length === 0) return;
  const settings = [
    ...(rules.localData === "refuse" && localData.length > 0 ? ["drain.localData: delete (--delete-local-data)"] : []),
    ...(rules.unmanaged === "refuse" && unmanaged.length > 0 ? ["drain.unmanaged: delete (--delete-unmanaged)"] : []),
  ];
  throw new StepError({
    step: "drain",
    machine: node,
    cause: causes.join("; "),
    action: `nothing was changed; say that it may go with ${settings.join(" and ")}`,
  });
}
