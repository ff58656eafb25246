import type { JsonValue } from "./json";
import type { KubeletConfiguration } from "./kubelet";

/**
 * The parts of kubeadm.k8s.io/v1beta4 that Kubewright sets.
 * Source: https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 */
export const kubeadmApi = "kubeadm.k8s.io/v1beta4";

/** One extra argument. v1beta4 has a list, in which a flag may be repeated; v1beta3 had a map. */
export interface Argument {
  name: string;
  value: string;
}

export type TaintEffect = "NoSchedule" | "PreferNoSchedule" | "NoExecute";

export interface Taint {
  key: string;
  value?: string;
  effect: TaintEffect;
}

export type PullPolicy = "Always" | "IfNotPresent" | "Never";

export interface NodeRegistration {
  name: string;
  criSocket: string;
  /** `[]` means no taints. @default kubeadm's: `node-role.kubernetes.io/control-plane:NoSchedule` on control planes */
  taints?: Taint[];
  imagePullPolicy: PullPolicy;
  ignorePreflightErrors?: string[];
  kubeletExtraArgs: Argument[];
}

/** Go durations (`4m0s`). Absent ones have kubeadm's defaults. */
export interface KubeadmTimeouts {
  controlPlaneComponentHealthCheck?: string;
  kubeletHealthCheck?: string;
  kubernetesAPICall?: string;
  etcdAPICall?: string;
  tlsBootstrap?: string;
  discovery?: string;
}

/** Algorithms of the keys of certificates, by kubeadm's names. */
export const CERTIFICATE_KEYS = ["RSA-2048", "RSA-3072", "RSA-4096", "ECDSA-P256"] as const;
export type CertificateKeys = (typeof CERTIFICATE_KEYS)[number];

export interface LocalApiEndpoint {
  advertiseAddress: string;
  bindPort: number;
}

export interface BootstrapToken {
  token: string;
  ttl: string;
  usages: string[];
  groups: string[];
}

export interface InitConfiguration {
  apiVersion: typeof kubeadmApi;
  kind: "InitConfiguration";
  /** Added at run time only, see `withBootstrapToken`. */
  bootstrapTokens?: BootstrapToken[];
  localAPIEndpoint: LocalApiEndpoint;
  nodeRegistration: NodeRegistration;
  /** Phases of `kubeadm init` that do not run. */
  skipPhases?: string[];
  timeouts?: KubeadmTimeouts;
}

/** A folder of the machine in a component's container. */
export interface HostPathMount {
  name: string;
  hostPath: string;
  mountPath: string;
  readOnly?: boolean;
  pathType?: "Directory" | "DirectoryOrCreate";
}

export interface ControlPlaneComponent {
  extraArgs?: Argument[];
  extraVolumes?: HostPathMount[];
}

export interface ClusterConfiguration {
  apiVersion: typeof kubeadmApi;
  kind: "ClusterConfiguration";
  clusterName: string;
  /** With the prefix `v`: `v1.36.3`. */
  kubernetesVersion: string;
  controlPlaneEndpoint: string;
  imageRepository?: string;
  networking: { podSubnet: string; serviceSubnet: string; dnsDomain: string };
  apiServer: ControlPlaneComponent & { certSANs?: string[] };
  controllerManager: ControlPlaneComponent;
  scheduler: ControlPlaneComponent;
  dns?: { imageTag?: string };
  etcd: { local: ControlPlaneComponent & { dataDir: string; imageTag?: string } };
  /** @default RSA-2048 */
  encryptionAlgorithm?: CertificateKeys;
}

export interface JoinConfiguration {
  apiVersion: typeof kubeadmApi;
  kind: "JoinConfiguration";
  discovery: { bootstrapToken: { apiServerEndpoint: string; token?: string; caCertHashes?: string[] } };
  controlPlane?: { localAPIEndpoint: LocalApiEndpoint };
  nodeRegistration: NodeRegistration;
  timeouts?: KubeadmTimeouts;
}

export type ProxyMode = "nftables" | "iptables";

/** Source: https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/ */
export interface KubeProxyConfiguration {
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1";
  kind: "KubeProxyConfiguration";
  mode: ProxyMode;
  conntrack?: { maxPerCore: number; min: number; tcpEstablishedTimeout: string; tcpCloseWaitTimeout: string };
  [setting: string]: JsonValue | undefined;
}

export type KubeadmDocument =
  InitConfiguration | ClusterConfiguration | JoinConfiguration | KubeletConfiguration | KubeProxyConfiguration;
