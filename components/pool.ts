import { type ClusterConfig, type Pool, controlPlaneNames, madeNames, poolsOf } from "./config";
import type { Machine } from "./machine";
import { sshMachines } from "./ssh-machines";
import type { NodeSettings } from "./settings";
import type { Members } from "./turns";

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
  const others = (settings.taints ?? []).filter((taint) => !taints.some(({ key, effect }) => key === taint.key && effect === taint.effect));
  return {
    labels: { ...settings.labels, ...own.labels },
    annotations: { ...settings.annotations, ...own.annotations },
    taints: [...others, ...taints],
    kubelet: { ...settings.kubelet, ...own.kubelet },
    kubeletArgs: { ...settings.kubeletArgs, ...own.kubeletArgs },
  };
}

/** Names of all machines that the configuration wants made. */
export function namesToMake(config: ClusterConfig): string[] {
  return [...controlPlaneNames(config), ...poolsOf(config).flatMap((pool) => madeNames(config, pool))];
}

/** Who stands in for whom: the pools' machines, as Turns takes them; and the control planes, which stand alone. */
export function turnsOf(config: ClusterConfig): Members {
  const listed = config.machines.kind === "ssh" ? config.machines.ssh.hosts : [];
  const namesOf = (pool: Pool) => [
    ...madeNames(config, pool),
    ...(pool.name === "workers" ? listed.filter(({ role }) => role === "worker") : []).map(({ name }) => name),
    ...pool.hosts.map(({ name }) => name),
  ];
  return {
    pools: poolsOf(config).map((pool) => ({ names: namesOf(pool), maxUnavailable: pool.maxUnavailable })),
    others: [...controlPlaneNames(config), ...listed.filter(({ role }) => role === "control-plane").map(({ name }) => name)],
  };
}

/** The configuration's control planes and pools, with the machines that were made for them and those that it lists. */
export function membersOf(config: ClusterConfig, made: readonly Machine[] = []): { controlPlanes: Machine[]; pools: PoolArgs[] } {
  const listed = config.machines.kind === "ssh" ? config.machines.ssh.hosts : [];
  const madeFor = (names: readonly string[]) => made.filter(({ name }) => names.includes(name));
  const machinesOf = (pool: Pool): Machine[] => [
    ...madeFor(madeNames(config, pool)),
    ...sshMachines(pool.name === "workers" ? listed.filter(({ role }) => role === "worker") : []),
    ...sshMachines(pool.hosts),
  ];
  return {
    controlPlanes: [...madeFor(controlPlaneNames(config)), ...sshMachines(listed.filter(({ role }) => role === "control-plane"))],
    pools: poolsOf(config).map((pool) => poolArgs(pool, machinesOf(pool))),
  };
}

function poolArgs(pool: Pool, machines: Machine[]): PoolArgs {
  const { name, version, maxUnavailable, labels, annotations, taints, kubelet, nodes } = pool;
  const settings: NodeSettings = { labels, annotations, taints, kubelet, kubeletArgs: pool.extraArgs.kubelet };
  return { name, machines, settings, nodes, maxUnavailable, ...(version === undefined ? {} : { version }) };
}
