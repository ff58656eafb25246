import semver from "semver";
import type { KubeApi } from "../../provider/kube/api";
import { type DeprecatedApi, isRemovedIn } from "../../provider/kube/deprecated-apis";
import { retryRequest } from "../../provider/kube/retry";
import { planChain } from "../../render/version-skew";
import type { ClusterStatus } from "./cluster-status";

/** What an upgrade will do, and what is in its way. */
export interface UpgradePlan {
  from: string;
  to: string;
  /** Versions through which the upgrade goes, the target last. Empty if there is nothing to do. */
  chain: string[];
  controlPlanes: string[];
  /** Workers by pool, in the order of the upgrade. */
  pools: { name: string; nodes: string[] }[];
  deprecated: DeprecatedApi[];
  /** Problems that must be solved first. */
  blocking: string[];
  /** What an operator should know. */
  notes: string[];
}

export interface UpgradeFacts {
  /** Versions of all API servers, without the prefix `v`. */
  apiServers: readonly string[];
  to: string;
  supported: readonly string[];
  status: ClusterStatus;
  deprecated: readonly DeprecatedApi[];
  /** Pools with a version of their own. */
  poolVersions: ReadonlyMap<string, string>;
  /** What would hold up the drain of a worker now, by its name. */
  obstacles: ReadonlyMap<string, readonly string[]>;
}

/** @throws RangeError if there is no way to the version */
export function planUpgrade(facts: UpgradeFacts): UpgradePlan {
  const { to, status, deprecated, obstacles } = facts;
  const from = oldest(facts.apiServers) ?? status.version;
  const behind = status.nodes.some(({ pool, version }) => version !== (facts.poolVersions.get(pool) ?? to));
  const chain = planChain(from, to, facts.supported);
  return {
    from,
    to,
    // An interrupted upgrade has workers of the version before.
    chain: chain.length === 0 && behind ? [to] : chain,
    controlPlanes: status.nodes.filter(isControlPlane).map(({ name }) => name),
    pools: poolsOf(status),
    deprecated: [...deprecated],
    blocking: [
      ...status.problems,
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

type NodeStatus = ClusterStatus["nodes"][number];

function isControlPlane({ roles }: NodeStatus): boolean {
  return roles.includes("control-plane");
}

function poolsOf({ nodes }: ClusterStatus): UpgradePlan["pools"] {
  const workers = nodes.filter((node) => !isControlPlane(node));
  const names = [...new Set(workers.map(({ pool }) => pool))];
  return names.map((name) => ({
    name,
    nodes: workers.filter(({ pool }) => pool === name).map((node) => `${node.name} (${node.version})`),
  }));
}

function oldest(versions: readonly string[]): string | undefined {
  return [...versions].sort(semver.compare)[0];
}

/** Reads the versions of all API servers from their static pods. */
export async function readApiServerVersions(api: KubeApi, signal: AbortSignal): Promise<string[]> {
  const { items } = await retryRequest(api, "listing the API servers", signal, () =>
    api.core.listNamespacedPod({ namespace: "kube-system", labelSelector: "component=kube-apiserver" }),
  );
  return items.flatMap(({ spec }) => /:v(\d+\.\d+\.\d+)$/.exec(spec?.containers[0]?.image ?? "")?.[1] ?? []);
}
