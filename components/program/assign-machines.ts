import { optional } from "../../common/optional";
import {
  type ClusterConfig,
  type Pool,
  controlPlaneNames,
  heldMachines,
  listedControlPlanes,
  poolMachineNames,
  poolsOf,
} from "../config";
import type { Machine } from "../machines/machine";
import type { PoolArgs } from "../nodes/pool";
import type { RollingUpdateArgs } from "../nodes/rolling-update";
import type { NodeSettings } from "../nodes/settings";

/** The rolling update of a configuration: its pools, and the control planes, which are in no pool. */
export function rollingUpdateOf(config: ClusterConfig): RollingUpdateArgs {
  const { canary, soak } = config.kubernetes;
  return {
    pools: poolsOf(config).map((pool) => ({
      names: poolMachineNames(config, pool),
      maxUnavailable: pool.maxUnavailable,
      ...optional({ replacedFor: pool.upgrade === "replace" ? kubeletVersions(config, pool) : undefined }),
    })),
    others: controlPlaneMachineNames(config),
    ...optional({ first: canary.length > 0 ? canary : undefined, onePoolAtATime: soak > 0 || undefined }),
  };
}

/** Versions of a pool's kubelets, by machine name. Canaries have the cluster's version. */
function kubeletVersions(config: ClusterConfig, pool: Pool): Record<string, string> {
  const { canary, version } = config.kubernetes;
  const held = heldMachines(config, pool);
  const versionOf = (machine: string) =>
    canary.includes(machine) ? version : (held[machine] ?? pool.version ?? version);
  return Object.fromEntries(poolMachineNames(config, pool).map((machine) => [machine, versionOf(machine)]));
}

/** Distributes the machines of a configuration to its control planes and pools. */
export function assignMachines(
  config: ClusterConfig,
  machines: readonly Machine[],
): { controlPlanes: Machine[]; pools: PoolArgs[] } {
  const { canary } = config.kubernetes;
  const canaries = canary.length > 0 ? canary : undefined;
  const withNames = (names: readonly string[]) =>
    names.flatMap((name) => machines.filter((machine) => machine.name === name));
  return {
    controlPlanes: withNames(controlPlaneMachineNames(config)),
    pools: poolsOf(config).map((pool) => ({
      ...poolArgs(pool, withNames(poolMachineNames(config, pool))),
      ...optional({ canaries, versions: versionsOf(config, pool) }),
    })),
  };
}

function versionsOf(config: ClusterConfig, pool: Pool): PoolArgs["versions"] {
  const held = heldMachines(config, pool);
  return Object.keys(held).length > 0 ? held : undefined;
}

function controlPlaneMachineNames(config: ClusterConfig): string[] {
  return [...controlPlaneNames(config), ...listedControlPlanes(config).map(({ name }) => name)];
}

function poolArgs(pool: Pool, machines: Machine[]): PoolArgs {
  const {
    name,
    version,
    maxUnavailable,
    labels,
    annotations,
    taints,
    kubelet,
    containerd,
    nodes,
    extraArgs,
    commands,
  } = pool;
  const settings: NodeSettings = { labels, annotations, taints, kubelet, containerd, kubeletArgs: extraArgs.kubelet };
  return { name, machines, settings, nodes, maxUnavailable, commands, ...optional({ version }) };
}
