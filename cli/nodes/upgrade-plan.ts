import semver from "semver";
import { optional } from "../../common/optional";
import type { KubeApi } from "../../provider/kube/api";
import { type DeprecatedApi, isRemovedIn } from "../../provider/kube/deprecated-apis";
import { retryRequest } from "../../provider/kube/retry";
import { type Rung, type RunAs, reaches } from "../../render/rung";
import { planChain } from "../../render/version-skew";
import type { ClusterStatus } from "./cluster-status";
import { estimateDuration, estimateSurges } from "./upgrade-duration";
import { type ConfiguredSurge, type PlannedSurge, planSurge } from "./upgrade-surge";

/** What an upgrade will do, and what is in its way. */
export interface UpgradePlan {
  from: string;
  to: string;
  /** Versions through which the upgrade goes, the target last. Empty if there is nothing to do. */
  chain: string[];
  controlPlanes: string[];
  /** How the components of the control plane run. */
  components: "static pods" | "services";
  /** Add-ons that change at the end. */
  addOns: string[];
  /** Workers by pool, in the order of the upgrade, and the oldest version of their kubelets. */
  pools: PlannedPool[];
  deprecated: DeprecatedApi[];
  /** Workers that are upgraded before the others. */
  canaries: string[];
  /** Seconds for which the cluster must stay healthy before the upgrade goes on. */
  soak: number;
  /** Estimated seconds of all steps. */
  duration: number;
  /** Problems that must be solved first. */
  blocking: string[];
  /** What an operator should know. */
  notes: string[];
}

export interface PlannedPool {
  name: string;
  nodes: string[];
  oldest?: string | undefined;
  /** Versions of the kubelets by node, those of additional machines included. */
  versions?: Readonly<Record<string, string>>;
  /** Whether new machines replace those of the pool. */
  isReplaced?: boolean;
  /** The machines that the pool has only while it is upgraded. */
  surge?: PlannedSurge;
}

export interface UpgradeFacts {
  /** Versions of all API servers, without the prefix `v`. */
  apiServers: readonly string[];
  to: string;
  /** Versions that versions.yaml lists. The chain of minor versions goes through them. */
  supported: readonly string[];
  status: ClusterStatus;
  deprecated: readonly DeprecatedApi[];
  /** Pools with a version of their own. */
  poolVersions: ReadonlyMap<string, string>;
  /** Versions on which single workers stay, by name. @default none */
  heldNodes?: ReadonlyMap<string, string>;
  /** What would hold up the drain of a worker now, by its name. */
  obstacles: ReadonlyMap<string, readonly string[]>;
  /** Nodes of each pool that may be unavailable at the same time. @default 1 */
  poolLimits?: ReadonlyMap<string, number>;
  /** Pools whose machines are replaced. @default none */
  replacedPools?: readonly string[];
  /** Pools with additional machines. @default none */
  surges?: readonly ConfiguredSurge[];
  /** Workers that are upgraded first, also where their pool has a version of its own. @default none */
  canaries?: readonly string[];
  /** Seconds for which the cluster must stay healthy before the upgrade goes on. @default 0 */
  soak?: number | undefined;
  /** What the ladder has up to its rung. @default a cluster that kubeadm built */
  ladder?: { rung: Rung; runAs: RunAs } | undefined;
  /** Why the configuration does not fit the target. @default none */
  configProblems?: readonly string[];
  /** Whether the configuration changes although all nodes have the version. @default false */
  isChanged?: boolean;
}

/** @throws RangeError if there is no way to the version */
export function planUpgrade(facts: UpgradeFacts): UpgradePlan {
  const { to, status, deprecated, obstacles } = facts;
  const from = oldest(facts.apiServers) ?? status.version;
  const { canaries = [], isChanged = false, configProblems = [] } = facts;
  const targetOf = ({ name, pool }: NodeStatus) =>
    canaries.includes(name) ? to : (facts.heldNodes?.get(name) ?? facts.poolVersions.get(pool) ?? to);
  const behind = status.nodes.filter((node) => node.version !== targetOf(node));
  const moving = behind.filter((node) => targetOf(node) === to);
  const chain = planChain(from, to, facts.supported);
  const controlPlanes = status.nodes.filter(isControlPlane).map(({ name }) => name);
  // An interrupted upgrade has nodes of the version before. kubeadm does not skip a minor version of the cluster.
  const isUnfinished = chain.length === 0 ? behind.length > 0 || isChanged : moving.some(isOlderMinor(from));
  const steps = isUnfinished ? [from, ...chain] : chain;
  const pools = poolsOf(facts, steps);
  return {
    from,
    to,
    chain: steps,
    controlPlanes,
    ...changedParts(facts.ladder),
    pools,
    canaries: [...canaries],
    soak: facts.soak ?? 0,
    duration:
      steps.length * durationOf(facts, controlPlanes.length) + estimateSurges(pools.flatMap(({ surge = [] }) => surge)),
    deprecated: [...deprecated],
    blocking: [
      ...status.problems,
      ...configProblems,
      ...deprecated
        .filter((api) => isRemovedIn(api, to))
        .map(({ resource, removedIn }) => `${resource} is in use, and ${removedIn} removes it`),
    ],
    notes: [
      ...status.warnings,
      ...[...obstacles].flatMap(([node, all]) => all.map((one) => `drain of ${node}: ${one}`)),
    ],
  };
}

function isOlderMinor(version: string): (node: NodeStatus) => boolean {
  const first = `${semver.major(version)}.${semver.minor(version)}.0`;
  return (node) => semver.valid(node.version) !== null && semver.lt(node.version, first);
}

/** Returns what changes besides nodes: how the components of the control plane run, and the add-ons. */
export function changedParts(
  { rung, runAs }: NonNullable<UpgradeFacts["ladder"]> = { rung: "dns", runAs: "static-pods" },
): Pick<UpgradePlan, "components" | "addOns"> {
  return {
    components: runAs === "systemd" ? "services" : "static pods",
    addOns: [...(reaches(rung, "proxy") ? ["kube-proxy"] : []), ...(reaches(rung, "dns") ? ["CoreDNS"] : [])],
  };
}

function durationOf(
  { status, canaries = [], poolLimits, surges = [], soak = 0 }: UpgradeFacts,
  controlPlanes: number,
): number {
  const additional = surges.flatMap(({ machines }) => machines);
  const workers = status.nodes.filter((node) => !isControlPlane(node) && !additional.includes(node.name));
  const pools = [...new Set(workers.map(({ pool }) => pool))].map((name) => {
    const nodes = workers.filter(({ pool }) => pool === name);
    const first = nodes.filter((node) => canaries.includes(node.name));
    return { nodes: nodes.length, canaries: first.length, maxUnavailable: poolLimits?.get(name) ?? 1 };
  });
  return estimateDuration({ controlPlanes, pools, soak });
}

type NodeStatus = ClusterStatus["nodes"][number];

function isControlPlane({ roles }: NodeStatus): boolean {
  return roles.includes("control-plane");
}

function poolsOf({ status, to, replacedPools = [], surges = [] }: UpgradeFacts, chain: string[]): PlannedPool[] {
  const workers = status.nodes.filter((node) => !isControlPlane(node));
  const names = [...new Set(workers.map(({ pool }) => pool))];
  return names.map((name) => {
    const all = workers.filter(({ pool }) => pool === name);
    const { surge } = planSurge(
      surges.find(({ pool }) => pool === name),
      all,
      { chain, to },
    );
    const members = all.filter((node) => surge?.machines.includes(node.name) !== true);
    const nodes = members.map((node) => `${node.name} (${node.version})`);
    return {
      ...{ name, nodes, oldest: oldest(members.map(({ version }) => version)) },
      versions: Object.fromEntries(all.map((node) => [node.name, node.version])),
      ...optional({ isReplaced: replacedPools.includes(name) || undefined, surge }),
    };
  });
}

/** Returns the oldest version. A node that has not reported has none. */
export function oldest(versions: readonly string[]): string | undefined {
  return versions.filter((version) => semver.valid(version)).sort(semver.compare)[0];
}

export interface ApiServer {
  node: string;
  /** Without the prefix `v`. */
  version: string;
}

/** Reads the versions of all API servers from their static pods. A single one that systemd runs reports its own. */
export async function readApiServers(api: KubeApi, signal: AbortSignal): Promise<ApiServer[]> {
  const { items } = await retryRequest(api, "listing the API servers", signal, () =>
    api.core.listNamespacedPod({ namespace: "kube-system", labelSelector: "component=kube-apiserver" }),
  );
  if (items.length === 0) return await readService(api, signal);
  return items.flatMap(({ spec }) => {
    const version = /:v(\d+\.\d+\.\d+)$/.exec(spec?.containers[0]?.image ?? "")?.[1];
    return version === undefined ? [] : [{ node: spec?.nodeName ?? "", version }];
  });
}

async function readService(api: KubeApi, signal: AbortSignal): Promise<ApiServer[]> {
  const [{ gitVersion }, { items }] = await Promise.all([
    retryRequest(api, "reading the API server's version", signal, () => api.version.getCode()),
    retryRequest(api, "listing the control planes", signal, () =>
      api.core.listNode({ labelSelector: "node-role.kubernetes.io/control-plane" }),
    ),
  ]);
  const version = /^v(\d+\.\d+\.\d+)/.exec(gitVersion)?.[1];
  return version === undefined ? [] : items.map(({ metadata }) => ({ node: metadata?.name ?? "", version }));
}
