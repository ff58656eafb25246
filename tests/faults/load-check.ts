import type { Load } from "../support/load-client";

/** Share of the nominal requests that a client must have sent. curl sends the next one when the last one has ended. */
const LEAST_SHARE = 0.5;
/** After a machine has stopped, requests may wait for their time limit. */
const LEAST_AFTER_STOP = 20;

interface Expectation {
  perSecond: number;
  /** Duration of the load. */
  seconds: number;
  /** The fault stopped a machine that served requests. */
  mayFail: boolean;
}

/** Returns what is wrong with the load: requests failed, or too few were sent to prove anything. */
export function checkLoad(load: Load, { perSecond, seconds, mayFail }: Expectation): string[] {
  const least = mayFail ? LEAST_AFTER_STOP : Math.floor(perSecond * seconds * LEAST_SHARE);
  const problems: string[] = [];
  if (load.total < least)
    problems.push(`only ${load.total} requests were sent in ${Math.round(seconds)} s, not ${least}`);
  if (load.failed > 0 && !mayFail)
    problems.push(`${load.failed} of ${load.total} requests failed: ${load.failures[0] ?? ""}`);
  return problems;
}
