import { optional } from "../../common/optional";
import type { PoolHost } from "../machines/ssh";
import type { MachineRole } from "../../render/preflight";
import { kindOf } from "./kinds";
import { type ClusterConfig, type CountedPool, sshHosts } from "./types";

export const WORKERS = "workers";

export interface Pool extends CountedPool {
  name: string;
  /** Path of the pool in the configuration: `workers`, `pools.gpu`. */
  path: string;
  /** Number of machines, those that the pool has only while it is upgraded included. */
  count: number;
  /** Number of machines that the pool has only while it is upgraded: those with the highest numbers. */
  additional: number;
}

/** All pools: `workers` first, then the others in the order of the configuration. */
export function poolsOf({
  workers,
  pools,
  kubernetes,
}: Pick<ClusterConfig, "workers" | "pools"> & { kubernetes?: UpgradeSettings }): Pool[] {
  const others = Object.entries(pools).map(([name, pool]) => ({ ...pool, name, path: `pools.${name}` }));
  const all = [{ ...workers, name: WORKERS, path: WORKERS }, ...others];
  return all.map((pool) => {
    const additional = kubernetes?.additional?.[pool.name] ?? 0;
    const version = pool.version ?? kubernetes?.hold?.[pool.name];
    return { ...pool, count: pool.count + additional, additional, ...optional({ version }) };
  });
}

/** What an upgrade that is under way records in the configuration. */
type UpgradeSettings = Partial<Pick<ClusterConfig["kubernetes"], "hold" | "additional">>;

/** Name of a pool's machine: `worker-3`, `gpu-1`. */
export function machineName(pool: string, number: number): string {
  return `${pool === WORKERS ? "worker" : pool}-${number}`;
}

/** The number in a machine's name, or undefined if the name is not one of this pool. The machine need not exist. */
export function numberOf(pool: string, machine: string): number | undefined {
  const prefix = machineName(pool, 0).slice(0, -1);
  const rest = machine.startsWith(prefix) ? machine.slice(prefix.length) : "";
  return /^[1-9]\d*$/.test(rest) ? Number(rest) : undefined;
}

/**
 * The first `count` numbers that are not skipped. With `skip` a machine can be removed from the middle without
 * renaming others.
 */
export function numbersOf({ count, skip }: Pick<CountedPool, "count" | "skip">): number[] {
  const numbers: number[] = [];
  for (let number = 1; numbers.length < count; number++) if (!skip.includes(number)) numbers.push(number);
  return numbers;
}

/** Names of the machines that are created for a pool. Listed machines are not among them. */
export function madeNames(config: Pick<ClusterConfig, "machines">, pool: Pool): string[] {
  return kindOf(config, pool).makes ? numbersOf(pool).map((number) => machineName(pool.name, number)) : [];
}

/** Names of the machines that the pool has only while it is upgraded. */
export function additionalNames(config: Pick<ClusterConfig, "machines">, pool: Pool): string[] {
  return pool.additional === 0 ? [] : madeNames(config, pool).slice(-pool.additional);
}

/** Names of the control planes that are created. Listed ones are not among them. */
export function controlPlaneNames(config: Pick<ClusterConfig, "machines" | "controlPlane">): string[] {
  const { controlPlane } = config;
  return kindOf(config, controlPlane).makes
    ? Array.from({ length: controlPlane.count }, (_, index) => `control-plane-${index + 1}`)
    : [];
}

/**
 * Versions on which single machines of a pool stay while an upgrade is paused, by name. They have priority over the
 * pool's. A name that a pool has too means the pool.
 */
export function heldMachines(
  { kubernetes: { hold }, ...config }: Pick<ClusterConfig, "kubernetes" | "machines" | "pools">,
  pool: Pool,
): Record<string, string> {
  const names = poolMachineNames(config, pool).filter((name) => !(name in config.pools));
  return Object.fromEntries(names.flatMap((name) => (hold[name] === undefined ? [] : [[name, hold[name]]])));
}

/** The existing machines that are listed for a pool. */
export function listedIn(config: Pick<ClusterConfig, "machines">, pool: Pick<Pool, "name" | "hosts">): PoolHost[] {
  return [...(pool.name === WORKERS ? withRole(config, "worker") : []), ...pool.hosts];
}

/** Names of all machines of a pool: those that are created, then those that are listed. */
export function poolMachineNames(config: Pick<ClusterConfig, "machines">, pool: Pool): string[] {
  return [...madeNames(config, pool), ...listedIn(config, pool).map(({ name }) => name)];
}

/** Names of all workers of the configuration. */
export function workerNames(config: Pick<ClusterConfig, "machines"> & Parameters<typeof poolsOf>[0]): string[] {
  return poolsOf(config).flatMap((pool) => poolMachineNames(config, pool));
}

/** The existing machines that are listed as control planes. */
export function listedControlPlanes(config: Pick<ClusterConfig, "machines">): PoolHost[] {
  return withRole(config, "control-plane");
}

function withRole(config: Pick<ClusterConfig, "machines">, role: MachineRole): PoolHost[] {
  return sshHosts(config)
    .filter((host) => host.role === role)
    .map(({ role: _, ...host }) => host);
}
