import type { ClusterConfig, CountedPool } from "./types";

export const WORKERS = "workers";

export interface Pool extends CountedPool {
  name: string;
  /** Where it is in the configuration: `workers`, `pools.gpu`. */
  path: string;
}

/** `workers` first, then the others as they are written. */
export function poolsOf({ workers, pools }: Pick<ClusterConfig, "workers" | "pools">): Pool[] {
  const others = Object.entries(pools).map(([name, pool]) => ({ ...pool, name, path: `pools.${name}` }));
  return [{ ...workers, name: WORKERS, path: WORKERS }, ...others];
}

/** `worker-3` */
export function machineName(pool: string, number: number): string {
  return `${pool === WORKERS ? "worker" : pool}-${number}`;
}

/** The number that a name of this pool has, whether or not such a machine is there. */
export function numberOf(pool: string, machine: string): number | undefined {
  const prefix = machineName(pool, 0).slice(0, -1);
  const rest = machine.startsWith(prefix) ? machine.slice(prefix.length) : "";
  return /^[1-9]\d*$/.test(rest) ? Number(rest) : undefined;
}

/** The first `count` numbers that are not skipped: so a machine can go from the middle, and no other changes its name. */
export function numbersOf({ count, skip }: Pick<CountedPool, "count" | "skip">): number[] {
  const numbers: number[] = [];
  for (let number = 1; numbers.length < count; number++) if (!skip.includes(number)) numbers.push(number);
  return numbers;
}

/** Names of the machines that are made for a pool; none where the machines are listed. */
export function madeNames(config: Pick<ClusterConfig, "machines">, pool: Pool): string[] {
  return config.machines.kind === "docker" ? numbersOf(pool).map((number) => machineName(pool.name, number)) : [];
}

export function controlPlaneNames({ machines, controlPlane }: Pick<ClusterConfig, "machines" | "controlPlane">): string[] {
  return machines.kind === "docker" ? Array.from({ length: controlPlane.count }, (_, index) => `control-plane-${index + 1}`) : [];
}
