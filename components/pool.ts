import { optional } from "../common/optional";
import {
  type ClusterConfig,
  type Pool,
  controlPlaneNames,
  listedControlPlanes,
  listedIn,
  madeNames,
  poolsOf,
} from "./config";
import type { Machine } from "./machines/machine";
import type { RollingUpdateArgs } from "./rolling-update";
import type { NodeSettings } from "./settings";

/**
 * Workers with the same settings.
 *
 * @example
 * { name: "gpu", machines, settings: { labels: { accelerator: "nvidia" } }, maxUnavailable: 2 }
 */
export interface PoolArgs {
  /** Name of the pool, the value of the nodes' label `kubewright.io/pool`. */
  name: string;
  machines: Machine[];
  /** Settings of every node in the pool. */
  settings?: NodeSettings;
  /** Settings of single nodes, by machine name. They are merged with `settings` and take precedence. */
  nodes?: Record<string, NodeSettings>;
  /**
   * Version of the pool's kubelets, `1.35.4`: at most three minor versions older than the cluster's.
   * @default the cluster's version
   */
  version?: string;
  /**
   * Number of the pool's nodes that a change may make unavailable at the same time. Nodes that are down or cordoned
   * already count.
   * @default 1
   */
  maxUnavailable?: number;
}

/**
 * Merges the pool's settings with those of one machine. A machine's taint replaces the pool's taint with the same key
 * and effect.
 */
export function machineNodeSettings({ settings = {}, nodes = {} }: PoolArgs, machine: string): NodeSettings {
  const own = nodes[machine] ?? {};
  const ownTaints = own.taints ?? [];
  const poolTaints = (settings.taints ?? []).filter(
    (taint) => !ownTaints.some(({ key, effect }) => key === taint.key && effect === taint.effect),
  );
  return {
    labels: { ...settings.labels, ...own.labels },
    annotations: { ...settings.annotations, ...own.annotations },
    taints: [...poolTaints, ...ownTaints],
    kubelet: { ...settings.kubelet, ...own.kubelet },
    kubeletArgs: { ...settings.kubeletArgs, ...own.kubeletArgs },
  };
}

/** The rolling update of a configuration: its pools, and the control planes, which are in no pool. */
export function rollingUpdateOf(config: ClusterConfig): RollingUpdateArgs {
  return {
    pools: poolsOf(config).map((pool) => ({
      names: poolMachineNames(config, pool),
      maxUnavailable: pool.maxUnavailable,
    })),
    others: controlPlaneMachineNames(config),
  };
}

/** Distributes the machines of a configuration to its control planes and pools. */
export function assignMachines(
  config: ClusterConfig,
  machines: readonly Machine[],
): { controlPlanes: Machine[]; pools: PoolArgs[] } {
  const withNames = (names: readonly string[]) =>
    names.flatMap((name) => machines.filter((machine) => machine.name === name));
  return {
    controlPlanes: withNames(controlPlaneMachineNames(config)),
    pools: poolsOf(config).map((pool) => poolArgs(pool, withNames(poolMachineNames(config, pool)))),
  };
}

function poolMachineNames(config: ClusterConfig, pool: Pool): string[] {
  return [...madeNames(config, pool), ...listedIn(config, pool).map(({ name }) => name)];
}

function controlPlaneMachineNames(config: ClusterConfig): string[] {
  return [...controlPlaneNames(config), ...listedControlPlanes(config).map(({ name }) => name)];
}

function poolArgs(pool: Pool, machines: Machine[]): PoolArgs {
  const { name, version, maxUnavailable, labels, annotations, taints, kubelet, nodes, extraArgs } = pool;
  const settings: NodeSettings = { labels, annotations, taints, kubelet, kubeletArgs: extraArgs.kubelet };
  return { name, machines, settings, nodes, maxUnavailable, ...optional({ version }) };
}
