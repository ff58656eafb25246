import type { PoolHost } from "../machines/ssh";
import type { MachineRole } from "../../render/preflight";
import { kindOf } from "./kinds";
import { type ClusterConfig, type CountedPool, sshHosts } from "./types";

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
  return kindOf(config, pool).makes ? numbersOf(pool).map((number) => machineName(pool.name, number)) : [];
}

export function controlPlaneNames(config: Pick<ClusterConfig, "machines" | "controlPlane">): string[] {
  const { controlPlane } = config;
  return kindOf(config, controlPlane).makes
    ? Array.from({ length: controlPlane.count }, (_, index) => `control-plane-${index + 1}`)
    : [];
}

/** The machines that a person has given to a pool. */
export function listedIn(config: Pick<ClusterConfig, "machines">, pool: Pick<Pool, "name" | "hosts">): PoolHost[] {
  return [...(pool.name === WORKERS ? withRole(config, "worker") : []), ...pool.hosts];
}

export function listedControlPlanes(config: Pick<ClusterConfig, "machines">): PoolHost[] {
  return withRole(config, "control-plane");
}

function withRole(config: Pick<ClusterConfig, "machines">, wanted: MachineRole): PoolHost[] {
  return sshHosts(config)
    .filter(({ role }) => role === wanted)
    .map(({ role: _, ...host }) => host);
}
