import { DRAIN_DEFAULTS, type DrainSettings } from "../contracts/drain";
import type { KubeletSettings } from "../render/kubelet";
import type { ComponentArgs } from "../render/kubeadm-args";
import type { Rung, RunAs, StaticToken } from "../render/rung";
import type { Taint } from "../render/kubeadm-types";
import type { FlannelBackend } from "../render/flannel";

/** What the nodes of a pool have in common. */
export interface NodeSettings {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  taints?: Taint[];
  /** Fields of KubeletConfiguration, such as `maxPods`. */
  kubelet?: KubeletSettings;
  /** Flags of the kubelet, without dashes. */
  kubeletArgs?: Record<string, string>;
}

export interface NetworkSettings {
  /** Default 10.244.0.0/16. */
  podCidr: string;
  /** Default 10.10.0.0/16. */
  serviceCidr: string;
  /** Prefix length of each node's part of podCidr. Default 24. */
  nodeMaskSize: number;
  /** Default cluster.local. */
  dnsDomain: string;
  /** Default host-gw, which needs all nodes on one network segment. */
  backend: FlannelBackend;
  /** Default flannel. `bridge` ends at its machine. */
  plugin: "flannel" | "bridge";
  /** Default nftables. */
  proxyMode: "nftables" | "iptables";
}

export interface ControlPlaneSettings extends NodeSettings {
  /** `host:port` for everybody. Default: the first control plane's address, 6443. */
  endpoint?: string;
  extraArgs?: ComponentArgs;
}

/** How a cluster is built one component at a time. */
export interface ComponentsSettings {
  /** How far up. Default: everything. */
  rung?: Rung;
  /** Default: static pods. */
  runAs?: RunAs;
  /** Users with tokens of a file; the tokens become secrets of the state. */
  staticTokens?: readonly StaticToken[];
  /** Admission plugins that are switched off. */
  disableAdmission?: readonly string[];
}

/** All in seconds. */
export interface Timeouts {
  init: number;
  join: number;
  ready: number;
}

/** How a node is emptied before it leaves. As with `kubectl drain`, nothing is lost unless the person has said so. */
export type { DrainSettings };

export const DEFAULT_NETWORK: NetworkSettings = {
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.10.0.0/16",
  nodeMaskSize: 24,
  dnsDomain: "cluster.local",
  backend: "host-gw",
  plugin: "flannel",
  proxyMode: "nftables",
};

export const DEFAULT_TIMEOUTS: Timeouts = { init: 300, join: 300, ready: 300 };

export const DEFAULT_DRAIN: DrainSettings = DRAIN_DEFAULTS;
