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
import type { NodeSettings } from "./settings";
import type { Members } from "./rolling-update";

/** Workers that are alike. */
export interface PoolArgs {
  /** `workers`, `gpu` */
  name: string;
  machines: Machine[];
  settings?: NodeSettings;
  /** By machine name: what one of them has beside, or instead of, `settings`. */
  nodes?: Record<string, NodeSettings>;
  /** The kubelet's version. Default: the cluster's. */
  version?: string;
  /** How many of its nodes may be away at a time while a change replaces them. Default 1. */
  maxUnavailable?: number;
}

/** What one machine of the pool is to be. */
export function settingsOf({ settings = {}, nodes = {} }: PoolArgs, machine: string): NodeSettings {
  const own = nodes[machine] ?? {};
  const taints = own.taints ?? [];
  const others = (settings.taints ?? []).filter(
    (taint) => !taints.some(({ key, effect }) => key === taint.key && effect === taint.effect),
  );
  return {
    labels: { ...settings.labels, ...own.labels },
    annotations: { ...settings.annotations, ...own.annotations },
    taints: [...others, ...taints],
    kubelet: { ...settings.kubelet, ...own.kubelet },
    kubeletArgs: { ...settings.kubeletArgs, ...own.kubeletArgs },
  };
}

/** Who stands in for whom: the pools' machines, as Turns takes them; and the control planes, which stand alone. */
export function turnsOf(config: ClusterConfig): Members {
  return {
    pools: poolsOf(config).map((pool) => ({ names: namesIn(config, pool), maxUnavailable: pool.maxUnavailable })),
    others: controlPlanesOf(config),
  };
}

/** The configuration's control planes and pools, with their machines. */
export function membersOf(
  config: ClusterConfig,
  machines: readonly Machine[],
): { controlPlanes: Machine[]; pools: PoolArgs[] } {
  const named = (names: readonly string[]) =>
    names.flatMap((name) => machines.filter((machine) => machine.name === name));
  return {
    controlPlanes: named(controlPlanesOf(config)),
    pools: poolsOf(config).map((pool) => poolArgs(pool, named(namesIn(config, pool)))),
  };
}

function namesIn(config: ClusterConfig, pool: Pool): string[] {
  return [...madeNames(config, pool), ...listedIn(config, pool).map(({ name }) => name)];
}

function controlPlanesOf(config: ClusterConfig): string[] {
  return [...controlPlaneNames(config), ...listedControlPlanes(config).map(({ name }) => name)];
}

function poolArgs(pool: Pool, machines: Machine[]): PoolArgs {
  const { name, version, maxUnavailable, labels, annotations, taints, kubelet, nodes } = pool;
  const settings: NodeSettings = { labels, annotations, taints, kubelet, kubeletArgs: pool.extraArgs.kubelet };
  return { name, machines, settings, nodes, maxUnavailable, ...(version === undefined ? {} : { version }) };
}
