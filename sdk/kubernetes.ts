import * as pulumi from "@pulumi/pulumi";
import type { Runtime } from "../common/runtime";
import type { KubeadmDocument, Taint } from "../render/kubeadm-types";
import type { MachineRole } from "../render/preflight";
import type { DrainSettings } from "../contracts/drain";
import type { ConnectionArgs, OnMachineArgs } from "./connection";
import type { FilesArgs } from "./host";
import { inPlace } from "./in-place";

export interface PreflightArgs {
  machines: {
    name: string;
    connection: pulumi.Input<ConnectionArgs>;
    privateAddress?: pulumi.Input<string | undefined>;
    role: MachineRole;
    /** Its kubelet is configured with `failSwapOn: false`. */
    swapAllowed?: boolean;
  }[];
  podCidr: string;
  serviceCidr: string;
  proxyMode: "nftables" | "iptables";
  /** Default containerd. */
  runtime?: Runtime;
  /** Present: not kubeadm. */
  bootstrap?: "components";
  /** Name and machine-id of machines that another preflight has judged. */
  judged?: pulumi.Input<Record<string, string>>;
}

/** Judges all machines before anything is changed on one of them. */
export class Preflight extends pulumi.CustomResource {
  /** Name and machine-id of the machines that passed. */
  declare readonly passed: pulumi.Output<Record<string, string>>;
  constructor(name: string, args: PreflightArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:cluster:Preflight", name, { passed: undefined, ...args }, inPlace(options));
  }
}

/** Who is a member, and since which run. */
export class Roster extends pulumi.CustomResource {
  declare readonly since: pulumi.Output<Record<string, string> | undefined>;
  constructor(name: string, args: { members: string[]; run: string }, options?: pulumi.CustomResourceOptions) {
    super("kubewright:cluster:Roster", name, { since: undefined, ...args }, inPlace(options));
  }
}

export interface KubeadmInitArgs extends OnMachineArgs {
  documents: pulumi.Input<KubeadmDocument[]>;
  /** Seconds. */
  timeout: number;
}

/** The first control plane. */
export class KubeadmInit extends pulumi.CustomResource {
  declare readonly caCertHash: pulumi.Output<string>;
  constructor(name: string, args: KubeadmInitArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:kubeadm:Init", name, { caCertHash: undefined, ...args }, inPlace(options));
  }
}

interface InCluster {
  /** Connections to the control planes; the API is reached through the first that answers. */
  controlPlanes: pulumi.Input<pulumi.Input<ConnectionArgs>[]>;
}

export interface KubeadmJoinArgs extends OnMachineArgs, InCluster {
  document: pulumi.Input<KubeadmDocument>;
  caCertHash: pulumi.Input<string>;
  /** Seconds. */
  timeout: number;
}

/** A machine's membership. */
export class KubeadmJoin extends pulumi.CustomResource {
  constructor(name: string, args: KubeadmJoinArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:kubeadm:Join", name, args, inPlace(options));
  }
}

export interface KubeletJoinArgs extends FilesArgs, InCluster {
  node: string;
  clusterName: string;
  /** `host:port` */
  endpoint: pulumi.Input<string>;
  caCertHash: pulumi.Input<string>;
  /** The CA with its key, where no controller manager signs. */
  signer?: pulumi.Input<{ certificate: pulumi.Input<string>; key: pulumi.Input<string> }>;
  /** Seconds. */
  timeout: number;
}

/** A kubelet's membership, by TLS bootstrap. */
export class KubeletJoin extends pulumi.CustomResource {
  constructor(name: string, args: KubeletJoinArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:kubelet:Join", name, args, inPlace(options));
  }
}

export interface NodeArgs extends InCluster {
  node: string;
  instance: pulumi.Input<string>;
  /** What made the machine a member: the node leaves before that is undone. */
  membership: pulumi.Input<string>;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  taints: Taint[];
  schedulable: boolean;
  /** The node's part of the pod range, where no controller manager gives it one. */
  podCidr?: pulumi.Input<string>;
  /** No controller manager is there to see that the node is Ready. */
  uncontrolled?: boolean;
  /** Seconds. */
  readyTimeout: number;
  drain: DrainArgs;
  /** Nodes of one pool stand in for one another. */
  pool: string;
  /** How many nodes of the pool may be away while this one leaves. */
  maxUnavailable: number;
  /** To the node's own machine: how it is proved that a silent node's machine is gone. */
  connection: pulumi.Input<ConnectionArgs>;
}

/** How a node is emptied before it leaves: docs/rolling-updates.md. */
export type DrainArgs = DrainSettings;

/** A joined node: its delete is the drain. */
export class Node extends pulumi.CustomResource {
  declare readonly kubeletVersion: pulumi.Output<string>;
  constructor(name: string, args: NodeArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:kube:Node", name, { kubeletVersion: undefined, ...args }, inPlace(options));
  }
}

export interface ManifestsArgs extends InCluster {
  caCertHash: pulumi.Input<string>;
  objects: pulumi.Input<Record<string, object>>;
}

/** Kubernetes objects, server-side applied. */
export class Manifests extends pulumi.CustomResource {
  constructor(name: string, args: ManifestsArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:kube:Manifests", name, args, inPlace(options));
  }
}

export interface RolloutArgs extends InCluster {
  caCertHash: pulumi.Input<string>;
  namespace: string;
  deployment: string;
  patch?: object;
  /** Seconds. */
  timeout: number;
}

/** A Deployment that something else made: patched, and Available. */
export class Rollout extends pulumi.CustomResource {
  constructor(name: string, args: RolloutArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:kube:Rollout", name, args, inPlace(options));
  }
}
