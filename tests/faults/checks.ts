import type { CellResult } from "./cell";

/**
 * Version of the checks that judge a cell. Raise it when a check becomes stricter: results of older versions are stale,
 * and `npm run faults` runs their cells again.
 *
 * 1. Machines, nodes, canary and requests; a further run changes nothing.
 * 2. The error itself names the machine and the next command; a fault proves that it hit its target; the load client
 *    sent a least number of requests.
 */
export const CHECKS = 2;

/** Tells whether a result claims less than the present checks demand. */
export function isStale({ checks }: CellResult): boolean {
  return (checks ?? 1) < CHECKS;
}
