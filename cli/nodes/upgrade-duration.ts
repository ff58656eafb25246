/**
 * Seconds, measured in upgrades of local machines by one minor version. Drains of slow pods take longer. Additional
 * machines join in a run of their own, in parallel, and leave in another one.
 */
const MEASURED = { copies: 40, controlPlane: 50, worker: 25, addOns: 20, joining: 25, leaving: 20 };

export interface DurationFacts {
  controlPlanes: number;
  pools: readonly { nodes: number; maxUnavailable: number; canaries: number }[];
  /** Seconds for which the cluster must stay healthy before the upgrade goes on. */
  soak: number;
}

/** Estimates how long one step of an upgrade takes, in seconds. */
export function estimateDuration({ controlPlanes, pools, soak }: DurationFacts): number {
  const canaries = pools.reduce((sum, pool) => sum + pool.canaries, 0);
  const times = pools.map((pool) => timeOfPool(pool, soak));
  // Without a soak, pools change in parallel.
  const workers = soak > 0 ? times.reduce((sum, time) => sum + time, 0) : Math.max(0, ...times);
  const first = controlPlanes * (MEASURED.controlPlane + soak) + canaries * (MEASURED.worker + soak);
  return MEASURED.copies + first + workers + MEASURED.addOns;
}

/**
 * Estimates how long the additional machines of an upgrade add to it, in seconds, whatever the number of its steps.
 * @param surges the additional machines of each pool
 */
export function estimateSurges(surges: readonly { areJoined: boolean }[]): number {
  if (surges.length === 0) return 0;
  return MEASURED.leaving + (surges.every(({ areJoined }) => areJoined) ? 0 : MEASURED.joining);
}

function timeOfPool({ nodes, maxUnavailable, canaries }: DurationFacts["pools"][number], soak: number): number {
  const others = nodes - canaries;
  return others <= 0 ? 0 : Math.ceil(others / maxUnavailable) * MEASURED.worker + soak;
}
