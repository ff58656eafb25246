import semver from "semver";
import type { KubeApi } from "../../provider/kube/api";
import { type DeprecatedApi, isRemovedIn } from "../../provider/kube/deprecated-apis";
import { retryRequest } from "../../provider/kube/retry";
import { type Rung, type RunAs, reaches } from "../../render/rung";
import { planChain } from "../../render/version-skew";
import type { ClusterStatus } from "./cluster-status";
import { type PlannedPool, isControlPlane, oldest, planPools, targetOf } from "./planned-pools";
import { estimateDuration, estimateSurges } from "./upgrade-duration";
import type { ConfiguredSurge } from "./upgrade-surge";

/** What an upgrade will do, and what is in its way. */
export interface UpgradePlan {
  from: string;
  to: string;
  /** Versions through which the upgrade goes, the target last. Empty if there is nothing to do. */
  chain: string[];
  /** Control planes that change. Those that have the version already are not among them. */
  controlPlanes: string[];
  /** Control planes that stop to emulate a minor version, if they do not change anyway. */
  emulating?: { version: string; controlPlanes: string[] };
  /** How the components of the control plane run. */
  components: "static pods" | "services";
  /** Add-ons that change at the end. */
  addOns: string[];
  /** Workers by pool, in the order of the upgrade. */
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

export interface UpgradeFacts {
  /** Versions of all API servers, without the prefix `v`. */
  apiServers: readonly string[];
  to: string;
  /** Versions that versions.yaml lists. The chain of minor versions goes through them. */
  supported: readonly string[];
  status: ClusterStatus;
  deprecated: readonly DeprecatedApi[];
  /** Minor version that the control planes emulate until this upgrade. @default none */
  emulated?: string | undefined;
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

/**
 * @param steps versions through which the upgrade goes, if they are known
 * @throws RangeError if there is no way to the version
 */
export function planUpgrade(facts: UpgradeFacts, steps = planSteps(facts)): UpgradePlan {
  const { to, status, deprecated, canaries = [], configProblems = [] } = facts;
  const from = fromOf(facts);
  const pools = planPools({ ...facts, nodes: status.nodes }, steps);
  const all = status.nodes.filter(isControlPlane);
  const controlPlanes = namesOf(all.filter(({ version }) => from !== to || version !== to));
  const { emulated } = facts;
  const emulating = emulated !== undefined && controlPlanes.length === 0;
  return {
    ...{ from, to, chain: [...steps], controlPlanes },
    ...(emulating ? { emulating: { version: emulated, controlPlanes: namesOf(all) } } : {}),
    ...changedParts(facts.ladder),
    pools,
    canaries: [...canaries],
    soak: facts.soak ?? 0,
    duration: durationOf(facts, {
      steps: steps.length,
      controlPlanes: (emulating ? all : controlPlanes).length,
      pools,
    }),
    deprecated: [...deprecated],
    blocking: [
      ...status.problems,
      ...configProblems,
      ...deprecated
        .filter((api) => isRemovedIn(api, to))
        .map(({ resource, removedIn }) => `${resource} is in use, and ${removedIn} removes it`),
    ],
    notes: [...status.warnings, ...findObstacles(facts, pools)],
  };
}

function namesOf(nodes: readonly NodeStatus[]): string[] {
  return nodes.map(({ name }) => name);
}

function fromOf({ apiServers, status }: UpgradeFacts): string {
  return oldest(apiServers) ?? status.version;
}

function planSteps(facts: UpgradeFacts): string[] {
  const { to, status, supported, isChanged = false } = facts;
  const from = fromOf(facts);
  const pooled = { ...facts, nodes: status.nodes };
  const behind = status.nodes.filter((node) => node.version !== targetOf(pooled, node));
  const moving = behind.filter((node) => targetOf(pooled, node) === to);
  const chain = planChain(from, to, supported);
  // An interrupted upgrade has nodes of the version before. kubeadm does not skip a minor version of the cluster.
  const isUnfinished = chain.length === 0 ? behind.length > 0 || isChanged : moving.some(isOlderMinor(from));
  return isUnfinished ? [from, ...chain] : chain;
}

/** What would hold up the drains of this upgrade. Nodes that are not drained have none. */
function findObstacles({ obstacles }: UpgradeFacts, pools: readonly PlannedPool[]): string[] {
  const drained = pools.flatMap(({ isDrained, changing = [], surge }) => [
    ...(isDrained ? changing : []),
    ...(surge?.machines ?? []),
  ]);
  return drained.flatMap((node) => (obstacles.get(node) ?? []).map((one) => `drain of ${node}: ${one}`));
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
  { canaries = [], poolLimits, soak = 0 }: UpgradeFacts,
  { steps, controlPlanes, pools }: { steps: number; controlPlanes: number; pools: readonly PlannedPool[] },
): number {
  const changing = pools.map(({ name, changing: nodes = [] }) => ({
    nodes: nodes.length,
    canaries: nodes.filter((node) => canaries.includes(node)).length,
    maxUnavailable: poolLimits?.get(name) ?? 1,
  }));
  const surges = pools.flatMap(({ surge = [] }) => surge);
  return steps * estimateDuration({ controlPlanes, pools: changing, soak }) + estimateSurges(surges);
}

type NodeStatus = ClusterStatus["nodes"][number];

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
