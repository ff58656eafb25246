import type { Machine } from "../machines/machine";
import type { PoolCommands } from "./commands";
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
   * Versions of single machines' kubelets, by machine name. They have priority over `version`.
   * @default none
   */
  versions?: Record<string, string>;
  /**
   * Names of machines whose kubelets have the cluster's version, whatever the pool's version is.
   * @default none
   */
  canaries?: readonly string[];
  /**
   * Number of the pool's nodes that a change may make unavailable at the same time. Nodes that are down or cordoned
   * already count.
   * @default 1
   */
  maxUnavailable?: number;
  /**
   * Commands of your own on every machine of the pool. They need the package @pulumi/command.
   * @default none
   */
  commands?: PoolCommands;
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
    containerd: { ...settings.containerd, ...own.containerd },
  };
}
