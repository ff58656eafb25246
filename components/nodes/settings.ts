import { z } from "zod";
import { type DrainSettings, DRAIN_DEFAULTS } from "../../contracts/drain";
import type { RepositorySettings } from "../../contracts/kubeadm/restore-from";
import type { RepositoryAccess } from "../../render/backup/access";
import type { KeptBackups } from "../../render/backup/timer";
import type { ContainerdSettings } from "../../render/containerd-settings";
import type { ComponentArgs } from "../../render/kubeadm-args";
import type { Taint } from "../../render/kubeadm-types";
import type { KubeletSettings } from "../../render/kubelet";
import type { Rung, RunAs, StaticToken } from "../../render/rung";
import { cidr, dnsDomain, endpointOrAddress, seconds } from "../fields/fields";
import type { ApiLoadBalancer } from "../machines/api-load-balancer";

export type { DrainSettings } from "../../contracts/drain";

/** Settings of a node. */
export interface NodeSettings {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  taints?: Taint[];
  /** Fields of the kubelet's configuration (KubeletConfiguration), such as `maxPods`. */
  kubelet?: KubeletSettings;
  /** Command-line flags of the kubelet, without leading dashes. */
  kubeletArgs?: Record<string, string>;
  /** Settings of containerd's configuration file, as nested tables. */
  containerd?: ContainerdSettings;
}

/** The backup from which a cluster is created whose control planes are lost. */
export interface RestoreSettings {
  /** Id of the backup, or `latest`. */
  backup: string;
  /** The repository that stores it. */
  repository: RepositorySettings;
}

/** How the control planes back up the cluster themselves. */
export interface BackupTimerArgs {
  /** When a backup is taken, a calendar of systemd: `daily`, `*-*-* 03:00`. */
  schedule: string;
  /**
   * When every control plane tries the newest backup, a calendar of systemd.
   * @default never
   */
  drillSchedule?: string | undefined;
  /** The repository of restic, which the control planes must reach: `sftp:user@host:/path` or `s3:https://...`. */
  repository: string;
  /** Password and keys of the repository. They are secrets of the state. */
  access: RepositoryAccess;
  /** How many backups are kept: the newest ones, and the newest one of each hour, day and week. */
  keep: KeptBackups;
}

/** Properties of a cluster's network. */
export const networkFields = {
  /** Range from which pods get their addresses. On an existing cluster a change is refused. */
  podCidr: cidr.default("10.244.0.0/16"),
  /** Range from which services get their addresses. On an existing cluster a change is refused. */
  serviceCidr: cidr.default("10.10.0.0/16"),
  /** Prefix length of the part of `podCidr` that each node gets. */
  nodeMaskSize: z.int().min(16).max(28).default(24),
  /** DNS domain of the cluster's services. */
  dnsDomain: dnsDomain.default("cluster.local"),
  /** Pod network: flannel, or a `bridge` on a single machine with `bootstrap: components`. */
  plugin: z.enum(["flannel", "bridge"]).default("flannel"),
  /**
   * Backend of flannel: `host-gw` routes between nodes on one network segment, `vxlan` also works where routers are
   * between them.
   */
  backend: z.enum(["host-gw", "vxlan"]).default("host-gw"),
  /** Mode of kube-proxy. */
  proxyMode: z.enum(["nftables", "iptables"]).default("nftables"),
};

const networkSchema = z.object(networkFields);
export type NetworkSettings = z.output<typeof networkSchema>;
export const DEFAULT_NETWORK: NetworkSettings = networkSchema.parse({});

/** How clients outside of the cluster reach the API server. The nodes use their own balancers. */
export const endpointFields = {
  /**
   * `nodes`: the kubeconfig names a control plane whose API server is ready. `vip`: it names a virtual address, which
   * keepalived gives to a control plane that is ready. `loadBalancer`: it names the cloud's own load balancer, which is
   * created together with the machines. `external`: it names an address of yours.
   */
  kind: z.enum(["nodes", "vip", "loadBalancer", "external"]).default("nodes"),
  /**
   * With `external`: an address that leads to every control plane, for example through a load balancer. With `vip`: an
   * IP address that no machine has, in the network segment of the control planes, without a port.
   */
  address: endpointOrAddress.optional(),
};

type EndpointFields = z.input<z.ZodObject<typeof endpointFields>>;

/** An address that the program knows. */
export type ApiEndpoint = Omit<EndpointFields, "kind"> & { kind?: Exclude<EndpointFields["kind"], "loadBalancer"> };

/** Settings of the control planes. */
export interface ControlPlaneSettings extends NodeSettings {
  /**
   * Address at which clients outside of the cluster reach the API server. The nodes use their own balancers. A text is
   * an address of the kind `external`. A load balancer comes from the component that creates the machines of a cloud:
   * its `apiEndpoint`.
   * @default the kubeconfig names a control plane whose API server is ready
   */
  endpoint?: ApiEndpoint | ApiLoadBalancer | string;
  /** Command-line flags of the control plane's components, without leading dashes. */
  extraArgs?: ComponentArgs;
  /**
   * `previous`: the components behave as those of the minor version before, so that an upgrade can be undone. It can be
   * set only together with a newer version.
   */
  emulate?: "previous" | undefined;
}

/** How a cluster is built one component at a time (docs/ladder.md). */
export interface ComponentsSettings {
  /**
   * The rung up to which the cluster is built.
   * @default "dns", the highest one
   */
  rung?: Rung;
  /** @default "static-pods" */
  runAs?: RunAs;
  /** Users that log in with a token. The tokens become secrets of the state. */
  staticTokens?: readonly StaticToken[];
  /** Admission plugins that are disabled. */
  disableAdmission?: readonly string[];
}

/** Deadlines of a cluster. */
export const timeoutFields = {
  /** Seconds until `kubeadm init` must be done. */
  init: seconds.default(300),
  /** Seconds until a join must be done. */
  join: seconds.default(300),
  /** Seconds until a joined node must be Ready, and CoreDNS Available. */
  ready: seconds.default(300),
  /**
   * Seconds until a service that was started or restarted must be healthy: the kubelet, the container runtime, and
   * each component of the control plane. Otherwise its previous files are restored.
   */
  healthy: seconds.default(120),
};

const timeoutSchema = z.object(timeoutFields);
export type Timeouts = z.output<typeof timeoutSchema>;
export const DEFAULT_TIMEOUTS: Timeouts = timeoutSchema.parse({});

export const DEFAULT_DRAIN: DrainSettings = DRAIN_DEFAULTS;
