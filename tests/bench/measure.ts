/** One step on one node, in seconds since machines answered ssh. */
export interface StepTime {
  node: string;
  step: string;
  start: number;
  end: number;
}

/** One bring-up. */
export interface Measured {
  seconds: number;
  steps: StepTime[];
  /** Names of the steps of which each waited for the one before it; the last one ended the run. */
  critical: StepTime[];
}

/**
 * The chain of steps that made the run as long as it was: from the last one back, each time to what it waited for last.
 */
export function criticalPath(
  steps: readonly StepTime[],
  waitedFor: (step: StepTime) => readonly StepTime[],
): StepTime[] {
  const last = latest(steps);
  const chain: StepTime[] = [];
  for (let step = last; step && !chain.includes(step); step = latest(waitedFor(step))) chain.unshift(step);
  return chain;
}

/**
 * Where nobody tells what waited for what: what ended last before this began, on the same node if there is one as late.
 */
export function endedBefore(steps: readonly StepTime[]): (step: StepTime) => readonly StepTime[] {
  return (step) => steps.filter((other) => other !== step && other.end <= step.start + TOLERANCE);
}

const TOLERANCE = 0.02;

function latest(steps: readonly StepTime[]): StepTime | undefined {
  return steps.reduce<StepTime | undefined>((late, step) => (late && late.end >= step.end ? late : step), undefined);
}

/** How long at least one of them was going on. */
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
