import semver from "semver";
import { userCommand } from "../../common/user-command";
import { type ClusterConfig, heldMachines, poolsOf } from "../../components/config";
import type { ConfigChange } from "../engine/stack-config";
import type { PlannedPool } from "./planned-pools";

/** Path of the held versions in the configuration. */
export const HOLD = "kubernetes.hold";

/** Path of the version on which a single worker is held. */
export function heldNodePath(node: string): string {
  return `${HOLD}["${node}"]`;
}

/** Returns the versions on which single workers are held, by name. */
export function heldNodes(
  config: Pick<ClusterConfig, "kubernetes" | "machines" | "workers" | "pools">,
): Map<string, string> {
  return new Map(poolsOf(config).flatMap((pool) => Object.entries(heldMachines(config, pool))));
}

/** Describes what a pause holds back. Names that are not those of pools are those of workers. */
export function describeHolds(held: readonly (readonly [string, string])[], pools: readonly string[]): string[] {
  return held.map(([name, version]) => `${pools.includes(name) ? "pool " : ""}${name} stays on ${version}`);
}

/**
 * Returns the configuration that keeps the nodes of a pool on their versions. The pool is held on the oldest one. Nodes
 * with another version are held by their names, because a kubelet cannot be downgraded.
 * @param before version of a pool without nodes
 * @param canaries nodes that have the cluster's version, whatever the pool's is
 */
export function holdPool(
  { name, oldest, versions = {} }: Pick<PlannedPool, "name" | "oldest" | "versions">,
  before: string,
  canaries: readonly string[] = [],
): ConfigChange {
  const version = oldest ?? before;
  const others = Object.entries(versions).filter(
    ([node, own]) => own !== version && semver.valid(own) !== null && !canaries.includes(node),
  );
  return {
    [`${HOLD}.${name}`]: version,
    ...Object.fromEntries(others.map(([node, own]) => [heldNodePath(node), own])),
  };
}

/**
 * Describes the version that a worker gets that is added to a held pool; undefined if it gets the cluster's.
 * @param name name of the pool
 */
export function describeNewWorker(
  { kubernetes, ...config }: Pick<ClusterConfig, "kubernetes" | "workers" | "pools">,
  name: string,
): string | undefined {
  const held = kubernetes.hold[name];
  const own = poolsOf(config).find((pool) => pool.name === name)?.version;
  if (own !== undefined || held === undefined || held === kubernetes.version) return undefined;
  return (
    `new workers of pool ${name} get Kubernetes ${held}, because the upgrade to ${kubernetes.version} is paused ` +
    `(kubernetes.hold); \`${userCommand("upgrade", "--resume")}\` upgrades them with the others`
  );
}
