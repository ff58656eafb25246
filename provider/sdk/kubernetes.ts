import * as pulumi from "@pulumi/pulumi";
import type { KubeadmDocument, Taint } from "../../render/kubeadm-types";
import type { MachineRole } from "../../render/preflight";
import type { ConnectionArgs, OnHostArgs } from "./connection";

export interface PreflightArgs {
  machines: pulumi.Input<
    pulumi.Input<{
      name: string;
      connection: pulumi.Input<ConnectionArgs>;
      privateAddress?: pulumi.Input<string | undefined>;
      role: MachineRole;
    }>[]
  >;
  podCidr: string;
  serviceCidr: string;
  proxyMode: "nftables" | "iptables";
  swapAllowed?: MachineRole[];
}

/** Judges all machines before anything is changed on one of them. */
export class Preflight extends pulumi.CustomResource {
  constructor(name: string, args: PreflightArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:cluster:Preflight", name, { passed: undefined, ...args }, options);
  }
}

export interface KubeadmInitArgs extends OnHostArgs {
  documents: pulumi.Input<KubeadmDocument[]>;
  /** Seconds. */
  timeout: number;
}

/** The first control plane. */
export class KubeadmInit extends pulumi.CustomResource {
  declare readonly caCertHash: pulumi.Output<string>;
  declare readonly kubeconfig: pulumi.Output<string>;
  constructor(name: string, args: KubeadmInitArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:kubeadm:Init", name, { caCertHash: undefined, kubeconfig: undefined, ...args }, options);
  }
}

interface InCluster {
  /** Connections to the control planes; the API is reached through the first that answers. */
  controlPlanes: pulumi.Input<pulumi.Input<ConnectionArgs>[]>;
}

export interface KubeadmJoinArgs extends OnHostArgs, InCluster {
  document: pulumi.Input<KubeadmDocument>;
  caCertHash: pulumi.Input<string>;
  /** Seconds. */
  timeout: number;
}

/** A machine's membership. */
export class KubeadmJoin extends pulumi.CustomResource {
  constructor(name: string, args: KubeadmJoinArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:kubeadm:Join", name, args, options);
  }
}

export interface NodeArgs extends InCluster {
  node: string;
  instance: pulumi.Input<string>;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  taints: Taint[];
  schedulable: boolean;
  /** Seconds. */
  readyTimeout: number;
  /** Seconds. */
  drainTimeout: number;
}

/** A joined node: its delete is the drain. */
export class Node extends pulumi.CustomResource {
  declare readonly kubeletVersion: pulumi.Output<string>;
  constructor(name: string, args: NodeArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:kube:Node", name, { kubeletVersion: undefined, ...args }, options);
  }
}

export interface ManifestsArgs extends InCluster {
  caCertHash: pulumi.Input<string>;
  objects: pulumi.Input<Record<string, object>>;
}

/** Kubernetes objects, server-side applied. */
export class Manifests extends pulumi.CustomResource {
  constructor(name: string, args: ManifestsArgs, options?: pulumi.CustomResourceOptions) {
    super("kubewright:kube:Manifests", name, args, options);
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
    super("kubewright:kube:Rollout", name, args, options);
  }
}
