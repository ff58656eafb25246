import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { StepError } from "../../common/errors";
import { pluralize } from "../../common/pluralize";
import type { DrainSettings } from "../../contracts/drain";
import type { DrainOptions } from "./drain-options";
import { isTerminating, podName, summarizeNames } from "./pods";

/** What a drain waits for, as of its last check. */
export interface DrainStatus {
  /** Pods that are still on the node. */
  remaining: readonly V1Pod[];
  /** Persistent volumes that are still attached, once all pods are gone. */
  volumes: readonly string[];
  /** Evictions that the API server refused, each with the reason. */
  refusals: readonly string[];
  /** Why the node counts as down. Absent while it is Ready. */
  down?: string | undefined;
}

/** Returns the status line: `draining worker-1: 3 pods remaining; 1 terminating`. */
export function describeProgress(node: string, { remaining, volumes, refusals, down }: DrainStatus): string {
  const terminating = remaining.filter(isTerminating).length;
  const facts = [`${pluralize(remaining.length, "pod")} remaining`];
  if (terminating > 0) facts.push(`${terminating} terminating`);
  if (volumes.length > 0) facts.push(`${pluralize(volumes.length, "volume")} still attached`);
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

function describeCauses({ remaining, volumes, refusals, down }: DrainStatus): string[] {
  const terminating = remaining.filter(isTerminating).map(podName);
  const waiting = remaining.filter((pod) => !isTerminating(pod)).map(podName);
  const causes = [...(down ? [down] : []), ...refusals];
  if (volumes.length > 0) causes.push(`volumes are still attached: ${summarizeNames(volumes)}`);
  if (terminating.length > 0) causes.push(`${summarizeNames(terminating)} did not terminate`);
  if (refusals.length === 0 && waiting.length > 0) {
    causes.push(`${summarizeNames(waiting)} waited for a Ready replacement of an evicted pod`);
  }
  return causes;
}

function adviceFor({ volumes, refusals, down }: DrainStatus): string {
  if (down)
    return "power the machine off, then run again with --force (drain.onUnreachable: force), or set drain.fence";
  if (refusals.length > 0) return "scale up the workload that the PodDisruptionBudget protects, or change the budget";
  if (volumes.length > 0) return "run `kubectl describe volumeattachments` and check the CSI driver";
  return "raise drain.timeout (--timeout)";
}
