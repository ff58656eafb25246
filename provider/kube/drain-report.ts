import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import type { DrainSettings } from "../../contracts/drain";
import type { DrainOptions } from "./drain-options";
import { isTerminating, podName, summarizeNames } from "./pods";

/** What a drain waits for, as of its last check. */
export interface DrainStatus {
  /** Pods that are still on the node. */
  remaining: readonly V1Pod[];
  /** Evictions that the API server refused, each with the reason. */
  refusals: readonly string[];
  /** Why the node counts as down. Absent while it is Ready. */
  down?: string | undefined;
}

/** Returns the status line: `draining worker-1: 3 pods remaining; 1 terminating`. */
export function describeProgress(node: string, { remaining, refusals, down }: DrainStatus): string {
  const terminating = remaining.filter(isTerminating).length;
  const facts = [`${remaining.length} pods remaining`];
  if (terminating > 0) facts.push(`${terminating} terminating`);
  if (down) facts.push(down);
  if (refusals[0]) facts.push(refusals[0]);
  return `draining ${node}: ${facts.join("; ")}`;
}

/** Returns the error of a drain that has reached its deadline. */
export function deadlineError(options: DrainOptions & DrainSettings, status: DrainStatus): StepError {
  const { node, timeout, stayCordoned } = options;
  const state = stayCordoned ? "the node stays cordoned" : "the node was left as schedulable as before";
  return new StepError({
    step: "drain",
    machine: node,
    cause: `not finished after ${timeout} s: ${describeCauses(status).join("; ")}`,
    action: `${state}; ${adviceFor(status)}`,
  });
}

function describeCauses({ remaining, refusals, down }: DrainStatus): string[] {
  const terminating = remaining.filter(isTerminating).map(podName);
  const waiting = remaining.filter((pod) => !isTerminating(pod)).map(podName);
  const causes = [...(down ? [down] : []), ...refusals];
  if (terminating.length > 0) causes.push(`${summarizeNames(terminating)} did not terminate`);
  if (refusals.length === 0 && waiting.length > 0) {
    causes.push(`${summarizeNames(waiting)} waited for a Ready replacement of an evicted pod`);
  }
  return causes;
}

function adviceFor({ refusals, down }: DrainStatus): string {
  if (down) return "to delete its pods without the kubelet, set drain.onUnreachable: force";
  if (refusals.length > 0) return "scale up the workload that the PodDisruptionBudget protects, or change the budget";
  return "raise drain.timeout (--timeout)";
}
