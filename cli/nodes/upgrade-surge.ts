import { optional } from "../../common/optional";
import { type ClusterConfig, additionalNames, poolsOf } from "../../components/config";
import type { ClusterStatus } from "./cluster-status";

/** Path of the numbers of additional machines in the configuration. */
export const ADDITIONAL = "kubernetes.additional";

/** A pool that the configuration gives additional machines for an upgrade. */
export interface ConfiguredSurge {
  pool: string;
  /** Names of the additional machines. */
  machines: string[];
  /** Whether an upgrade has recorded them, so that they exist or a run is to create them. */
  isRecorded: boolean;
}

/** The additional machines of a pool in an upgrade. */
export interface PlannedSurge extends Omit<ConfiguredSurge, "pool"> {
  /** Whether all of them are nodes. */
  areJoined: boolean;
  /** Names of the pool's other nodes. */
  nodes: string[];
  /** Names of those among them that have the first version of the upgrade. */
  done: string[];
}

/** Returns the pools that have additional machines in an upgrade. A pool with a version of its own has none. */
export function configuredSurges(
  config: Pick<ClusterConfig, "machines" | "workers" | "pools"> & Parameters<typeof poolsOf>[0],
): ConfiguredSurge[] {
  return poolsOf(config)
    .filter(({ version }) => version === undefined)
    .map((pool) => {
      const { additional, count, surge } = pool;
      const isRecorded = additional > 0;
      const surged = isRecorded ? pool : { ...pool, count: count + surge, additional: surge };
      return { pool: pool.name, machines: additionalNames(config, surged), isRecorded };
    })
    .filter(({ machines }) => machines.length > 0);
}

/**
 * Plans the additional machines of a pool. Undefined: the pool has none, or no node of it changes and an earlier
 * upgrade has left none.
 * @param chain versions of the upgrade; empty if every node has the target's
 */
export function planSurge(
  surge: ConfiguredSurge | undefined,
  members: ClusterStatus["nodes"],
  { chain, to }: { chain: readonly string[]; to: string },
): { surge?: PlannedSurge } {
  if (!surge) return {};
  const { machines, isRecorded } = surge;
  const names = members.map(({ name }) => name);
  const others = members.filter(({ name }) => !machines.includes(name));
  const isBehind = chain.length > 0 && others.some(({ version }) => version !== to);
  const planned = {
    ...{ machines, isRecorded },
    areJoined: machines.every((machine) => names.includes(machine)),
    nodes: others.map(({ name }) => name),
    done: others.filter(({ version }) => version === chain[0]).map(({ name }) => name),
  };
  return optional({ surge: isBehind || isRecorded ? planned : undefined });
}
