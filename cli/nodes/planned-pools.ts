import semver from "semver";
import { optional } from "../../common/optional";
import { isSameMinor } from "../../render/version-skew";
import type { ClusterStatus } from "./cluster-status";
import { type ConfiguredSurge, type PlannedSurge, planSurge } from "./upgrade-surge";

type NodeStatus = ClusterStatus["nodes"][number];

/** The workers of a pool in an upgrade. */
export interface PlannedPool {
  name: string;
  /** Nodes that change, with their versions: `worker-1 (1.35.4)`. */
  nodes: string[];
  /** Names of the nodes that change. @default none */
  changing?: readonly string[];
  /** Nodes that keep an older version, because their pool or they stay on it. @default none */
  waiting?: string[];
  /** Whether the nodes that change are drained: for another minor version, or a new machine. @default false */
  isDrained?: boolean;
  /** Oldest version of a kubelet; undefined if none has reported. */
  oldest?: string | undefined;
  /** Versions of the kubelets by node, those of additional machines included. */
  versions?: Readonly<Record<string, string>>;
  /** Whether new machines replace those of the pool. @default false */
  isReplaced?: boolean;
  /** The machines that the pool has only while it is upgraded. */
  surge?: PlannedSurge;
}

export interface PoolFacts {
  to: string;
  nodes: readonly NodeStatus[];
  /** Pools with a version of their own. */
  poolVersions: ReadonlyMap<string, string>;
  /** Versions on which single workers stay, by name. @default none */
  heldNodes?: ReadonlyMap<string, string> | undefined;
  /** Workers that get the cluster's version, whatever that of their pool is. @default none */
  canaries?: readonly string[] | undefined;
  /** Pools whose machines are replaced. @default none */
  replacedPools?: readonly string[] | undefined;
  /** Pools with additional machines. @default none */
  surges?: readonly ConfiguredSurge[] | undefined;
}

/** Plans the pools that have nodes, in the order of the nodes. @param chain versions through which the upgrade goes */
export function planPools(facts: PoolFacts, chain: readonly string[]): PlannedPool[] {
  const workers = facts.nodes.filter((node) => !isControlPlane(node));
  const names = [...new Set(workers.map(({ pool }) => pool))];
  return names.map((name) => {
    const all = workers.filter(({ pool }) => pool === name);
    return planPool(name, all, facts, chain);
  });
}

function planPool(name: string, all: NodeStatus[], facts: PoolFacts, chain: readonly string[]): PlannedPool {
  const { to, replacedPools = [], surges = [] } = facts;
  const planned = planSurge(
    surges.find(({ pool }) => pool === name),
    all,
    { chain, to },
  );
  const members = all.filter((node) => planned.surge?.machines.includes(node.name) !== true);
  const behind = members.filter(({ version }) => version !== to);
  const changing = behind.filter((node) => targetOf(facts, node) === to);
  const waiting = behind.filter((node) => !changing.includes(node));
  const isReplaced = replacedPools.includes(name);
  const hasSurge = changing.length > 0 || planned.surge?.isRecorded === true;
  return {
    ...{ name, nodes: changing.map(label), changing: changing.map((node) => node.name) },
    oldest: oldest(members.map(({ version }) => version)),
    versions: Object.fromEntries(all.map((node) => [node.name, node.version])),
    ...optional({
      waiting: waiting.length > 0 ? waiting.map(label) : undefined,
      isDrained: changing.some(({ version }) => isReplaced || isOtherMinor(version, to)) || undefined,
      isReplaced: isReplaced || undefined,
      surge: hasSurge ? planned.surge : undefined,
    }),
  };
}

/** Returns the version that a node has after the upgrade. */
export function targetOf(
  { to, poolVersions, heldNodes, canaries = [] }: PoolFacts,
  { name, pool }: NodeStatus,
): string {
  return canaries.includes(name) ? to : (heldNodes?.get(name) ?? poolVersions.get(pool) ?? to);
}

function isOtherMinor(version: string, to: string): boolean {
  return semver.valid(version) === null || !isSameMinor(version, to);
}

function label({ name, version }: NodeStatus): string {
  return `${name} (${version})`;
}

export function isControlPlane({ roles }: NodeStatus): boolean {
  return roles.includes("control-plane");
}

/** Returns the oldest version. A node that has not reported has none. */
export function oldest(versions: readonly string[]): string | undefined {
  return versions.filter((version) => semver.valid(version)).sort(semver.compare)[0];
}
