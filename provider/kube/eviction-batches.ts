import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { podUid, isTerminating, isPodReady, workloadOf } from "./pods";

/** Of a large workload a tenth may move at once: one after the other 150 pods would take longer than a drain may. */
const SHARE = 0.1;

interface Workload {
  /** How many of its pods served when the drain began. */
  served: number;
  /** When its last pod was evicted, in milliseconds. */
  last: number;
}

/**
 * Which pods are evicted next: of each workload one (or a tenth) at a time, and the next once as many serve again as did before. So a
 * Service has all its pods but one. A replacement that does not come (nowhere to go, a Job, a broken image) holds up the rest of its
 * workload for `patience` seconds, and not for ever.
 */
export class EvictionBatches {
  private readonly workloads = new Map<string, Workload>();
  private readonly evicted = new Set<string>();

  constructor(private readonly patience: number) {}

  /** @param leaving pods on the node that are to go @param all pods of the cluster */
  next(leaving: readonly V1Pod[], all: readonly V1Pod[], now: number): V1Pod[] {
    const waiting = leaving.filter((pod) => !isTerminating(pod) && !this.evicted.has(podUid(pod)));
    const names = [...new Set(waiting.map(workloadOf))];
    return names.flatMap((workload) =>
      this.some(
        workload,
        waiting.filter((pod) => workloadOf(pod) === workload),
        all,
        now,
      ),
    );
  }

  /** Those that do not serve anyhow first: nobody misses them, so they wait for nobody. */
  private some(name: string, pods: V1Pod[], all: readonly V1Pod[], now: number): V1Pod[] {
    const serving = all.filter(
      (pod) => workloadOf(pod) === name && isPodReady(pod) && !this.evicted.has(podUid(pod)),
    ).length;
    const workload = this.workloads.get(name) ?? { served: serving, last: -Infinity };
    this.workloads.set(name, workload);
    const idle = pods.filter((pod) => !isPodReady(pod));
    const busy = pods.filter(isPodReady);
    const atOnce = Math.max(1, Math.floor(workload.served * SHARE));
    if (now - workload.last > this.patience * 1000) workload.served = Math.min(workload.served, serving);
    const places = Math.max(0, atOnce - Math.max(0, workload.served - serving));
    return [...idle, ...busy.slice(0, places)];
  }

  /** The eviction was granted. */
  left(pod: V1Pod, now: number): void {
    this.evicted.add(podUid(pod));
    const workload = this.workloads.get(workloadOf(pod));
    if (workload) workload.last = now;
  }
}
