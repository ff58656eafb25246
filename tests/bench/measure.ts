/** One step on one node, in seconds since machines answered ssh. */
export interface StepTime {
  node: string;
  step: string;
  start: number;
  end: number;
}

/** One run that creates a cluster. */
export interface Measured {
  seconds: number;
  steps: StepTime[];
  /** Steps of the critical path; the last one ended the run. */
  critical: StepTime[];
}

/** Returns the critical path: from the last step back, always to the step that it waited for last. */
export function criticalPath(
  steps: readonly StepTime[],
  waitedFor: (step: StepTime) => readonly StepTime[],
): StepTime[] {
  const last = latest(steps);
  const chain: StepTime[] = [];
  for (let step = last; step && !chain.includes(step); step = latest(waitedFor(step))) chain.unshift(step);
  return chain;
}

/** Without known dependencies: the step that ended last before this one began, preferably on the same node. */
export function endedBefore(steps: readonly StepTime[]): (step: StepTime) => readonly StepTime[] {
  return (step) => steps.filter((other) => other !== step && other.end <= step.start + TOLERANCE);
}

const TOLERANCE = 0.02;

function latest(steps: readonly StepTime[]): StepTime | undefined {
  return steps.reduce<StepTime | undefined>((late, step) => (late && late.end >= step.end ? late : step), undefined);
}

/** Returns the time in which at least one of the steps was in progress. */
export function covered(steps: readonly Pick<StepTime, "start" | "end">[]): number {
  let total = 0;
  let until = -Infinity;
  for (const { start, end } of [...steps].sort((one, other) => one.start - other.start)) {
    total += Math.max(0, end - Math.max(start, until));
    until = Math.max(until, end);
  }
  return total;
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}
