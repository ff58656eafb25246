import type { V1Pod } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { isPodReady, isTerminating, podUid, workloadOf } from "./pods";

/** Share of a workload's Ready pods that may be evicted in parallel: one at a time, 150 pods would take too long. */
const PARALLEL_SHARE = 0.1;

interface Workload {
  /** Ready pods to wait for before the next eviction. */
  target: number;
  /** Time of the last eviction, in milliseconds. */
  evictedAt: number;
}

/**
 * Decides which pods are evicted next. Of each workload one pod, or a tenth of its pods, is evicted at a time; the next
 * follows once as many pods are Ready as before, so that a Service loses one endpoint at most. A replacement that never
 * becomes Ready (no capacity, a Job, a broken image) delays the rest of its workload by `patience` seconds.
 */
export class EvictionBatches {
  private readonly workloads = new Map<string, Workload>();
  private readonly evicted = new Set<string>();

  constructor(private readonly patience: number) {}

  /**
   * Returns the pods to evict now.
   * @param leaving pods to evict from the node
   * @param all pods of the same workloads on all nodes
   * @param now current time, in milliseconds
   */
  next(leaving: readonly V1Pod[], all: readonly V1Pod[], now: number): V1Pod[] {
    const waiting = leaving.filter((pod) => !isTerminating(pod) && !this.evicted.has(podUid(pod)));
    const workloads = [...new Set(waiting.map(workloadOf))];
    return workloads.flatMap((workload) =>
      this.nextOfWorkload(
        workload,
        waiting.filter((pod) => workloadOf(pod) === workload),
        all,
        now,
      ),
    );
  }

  /** Pods that are not Ready serve no traffic, so they are evicted without waiting. */
  private nextOfWorkload(uid: string, pods: V1Pod[], all: readonly V1Pod[], now: number): V1Pod[] {
    const ready = all.filter((pod) => workloadOf(pod) === uid && isPodReady(pod) && !this.evicted.has(podUid(pod)));
    const workload = this.workloads.get(uid) ?? { target: ready.length, evictedAt: -Infinity };
    this.workloads.set(uid, workload);
    const parallel = Math.max(1, Math.floor(workload.target * PARALLEL_SHARE));
    const isOverdue = now - workload.evictedAt > this.patience * 1000;
    if (isOverdue) workload.target = Math.min(workload.target, ready.length);
    const missing = Math.max(0, workload.target - ready.length);
    const unready = pods.filter((pod) => !isPodReady(pod));
    return [...unready, ...pods.filter(isPodReady).slice(0, Math.max(0, parallel - missing))];
  }

  /** Records that the API server accepted the eviction of a pod. */
  recordEviction(pod: V1Pod, now: number): void {
    this.evicted.add(podUid(pod));
    const workload = this.workloads.get(workloadOf(pod));
    if (workload) workload.evictedAt = now;
  }
}
