import { setTimeout as sleep } from "node:timers/promises";
import type { Kubectl } from "./cluster-client";

/** A line for each worker: whether it is Ready, and whether it is cordoned. */
const AVAILABILITY =
  'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {.spec.unschedulable}{"\\n"}{end}';

/**
 * Counts the Ready workers of a pool that are not cordoned, every second. A time at which the API server restarts has
 * no count.
 */
export async function countAvailable(kubectl: Kubectl, pool: string, signal: AbortSignal): Promise<number[]> {
  const counts: number[] = [];
  while (!signal.aborted) {
    const query = ["get", "nodes", "-l", `kubewright.io/pool=${pool}`, "-o", AVAILABILITY];
    const lines = await kubectl(...query).catch(() => undefined);
    if (lines !== undefined) counts.push(lines.split("\n").filter((line) => line.trim() === "True").length);
    await sleep(1_000);
  }
  return counts;
}
