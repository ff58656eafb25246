/** Seconds, measured in upgrades of local machines by one minor version. Drains of slow pods take longer. */
const MEASURED = { copies: 40, controlPlane: 50, worker: 25, addOns: 20 };

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

function timeOfPool({ nodes, maxUnavailable, canaries }: DurationFacts["pools"][number], soak: number): number {
  const others = nodes - canaries;
  return others <= 0 ? 0 : Math.ceil(others / maxUnavailable) * MEASURED.worker + soak;
}
