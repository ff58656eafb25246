import { DEFAULT_RUNTIME, type Runtime } from "../common/runtime";
import type { ApiServerFiles } from "./api-server-files";
import { ENCRYPTION_FLAGS, ENCRYPTION_FOLDER } from "./encryption";
import { initDefaults, type Args, type ComponentArgs, mergedArguments } from "./kubeadm-args";
import type { MachineFacts } from "./facts";
import { optional } from "../common/optional";
import {
  type CertificateKeys,
  type ClusterConfiguration,
  type HostPathMount,
  type InitConfiguration,
  type JoinConfiguration,
  type KubeadmDocument,
  type KubeadmTimeouts,
  type KubeProxyConfiguration,
  type NodeRegistration,
  type ProxyMode,
  type PullPolicy,
  type Taint,
  kubeadmApi,
} from "./kubeadm-types";
import type { KubeletConfiguration } from "./kubelet";
import { KUBELET_CA_FILE, KUBELET_CA_FLAG } from "./kubelet-serving";
import { criSocket } from "./runtime";

export interface KubeadmNode {
  /** Name of the Node, which can differ from the machine's hostname. */
  name: string;
  /** Address at which other nodes reach it: the private address if there is one. */
  address: string;
  facts: Pick<MachineFacts, "cgroupVersion">;
  /** @default containerd */
  runtime?: Runtime;
  /** The images were imported into the runtime before, so that kubeadm pulls none. */
  imagesSideLoaded: boolean;
  /** `[]` means no taints. Later changes are made through the API. @default kubeadm's */
  taints?: readonly Taint[];
}

export interface KubeadmNetwork {
  podCidr: string;
  serviceCidr: string;
  /** @default cluster.local */
  dnsDomain?: string;
  /** Prefix length of each node's subnet of the pod range. @default 24 */
  nodeMaskSize?: number;
}

export interface InitOptions {
  /** Without the prefix `v`: `1.36.3`. */
  kubernetesVersion: string;
  node: KubeadmNode;
  /** @default kubernetes */
  clusterName?: string;
  /** `host:port` of the API server for all clients. @default the first node's address and `bindPort` */
  controlPlaneEndpoint?: string;
  /** @default 6443 */
  bindPort?: number;
  /** Number of control planes. A single one needs no leader election. */
  controlPlanes: number;
  network: KubeadmNetwork;
  proxyMode: ProxyMode;
  /** Algorithm of the keys of certificates. @default RSA-2048, kubeadm's */
  certificateKeys?: CertificateKeys;
  /** Additional names and addresses of the API server's certificate. */
  certSANs?: readonly string[];
  extraArgs?: ComponentArgs;
  /** The API servers read an encryption configuration. @default false */
  encryption?: boolean;
  /** The API servers verify the serving certificates of kubelets. @default false */
  verifiesKubelets?: boolean;
  /** Files of the API servers, and the flags that name them. */
  apiServer?: Pick<ApiServerFiles, "flags" | "volumes">;
  /** CoreDNS image tag, `v1.14.7`. @default kubeadm's */
  dnsImageTag?: string;
  /** etcd image tag, `3.6.8-0`. @default kubeadm's */
  etcdImageTag?: string;
  /** @default registry.k8s.io */
  imageRepository?: string;
  timeouts?: KubeadmTimeouts;
}

export interface JoinOptions {
  node: KubeadmNode;
  /** `host:port`, without a scheme. */
  apiServerEndpoint: string;
  /** If set, the node joins as an additional control plane. */
  controlPlane?: { bindPort?: number };
  timeouts?: KubeadmTimeouts;
}

/** Returns the configuration for `kubeadm init --config`, without secrets. */
export function initDocuments(options: InitOptions): KubeadmDocument[] {
  return [
    initConfiguration(options),
    clusterConfiguration(options),
    kubeletDocument(),
    kubeProxyConfiguration(options),
  ];
}

/** Returns the configuration for `kubeadm join --config`, without secrets and without the CA's hash. */
export function joinDocument(options: JoinOptions): JoinConfiguration {
  const { node, controlPlane } = options;
  return optional<JoinConfiguration>({
    apiVersion: kubeadmApi,
    kind: "JoinConfiguration",
    discovery: { bootstrapToken: { apiServerEndpoint: options.apiServerEndpoint } },
    controlPlane: controlPlane && {
      localAPIEndpoint: { advertiseAddress: node.address, bindPort: controlPlane.bindPort ?? 6443 },
    },
    nodeRegistration: nodeRegistration(node),
    timeouts: options.timeouts,
  });
}

export function pullPolicy(imagesSideLoaded: boolean): PullPolicy {
  return imagesSideLoaded ? "Never" : "IfNotPresent";
}

function initConfiguration(options: InitOptions): InitConfiguration {
  return optional<InitConfiguration>({
    apiVersion: kubeadmApi,
    kind: "InitConfiguration",
    localAPIEndpoint: { advertiseAddress: options.node.address, bindPort: options.bindPort ?? 6443 },
    nodeRegistration: nodeRegistration(options.node),
    timeouts: options.timeouts,
  });
}

function clusterConfiguration(options: InitOptions): ClusterConfiguration {
  const { network, extraArgs = {} } = options;
  const defaults = initDefaults(options.controlPlanes, network.nodeMaskSize);
  return optional<ClusterConfiguration>({
    apiVersion: kubeadmApi,
    kind: "ClusterConfiguration",
    clusterName: options.clusterName ?? "kubernetes",
    kubernetesVersion: `v${options.kubernetesVersion}`,
    controlPlaneEndpoint: options.controlPlaneEndpoint ?? `${options.node.address}:${options.bindPort ?? 6443}`,
    imageRepository: options.imageRepository,
    networking: {
      podSubnet: network.podCidr,
      serviceSubnet: network.serviceCidr,
      dnsDomain: network.dnsDomain ?? "cluster.local",
    },
    apiServer: apiServer(options, defaults.apiServer),
    controllerManager: mergedArguments(defaults.controllerManager, extraArgs.controllerManager),
    scheduler: mergedArguments(defaults.scheduler, extraArgs.scheduler),
    dns: options.dnsImageTag === undefined ? undefined : { imageTag: options.dnsImageTag },
    etcd: {
      local: optional({
        dataDir: "/var/lib/etcd",
        imageTag: options.etcdImageTag,
        ...mergedArguments(extraArgs.etcd),
      }),
    },
    encryptionAlgorithm: options.certificateKeys,
  });
}

function apiServer(
  { extraArgs = {}, encryption = false, verifiesKubelets = false, apiServer: own, certSANs: names }: InitOptions,
  defaults: Args,
): ClusterConfiguration["apiServer"] {
  const extraVolumes = [...(encryption ? [ENCRYPTION_VOLUME] : []), ...(own?.volumes ?? [])];
  return {
    ...mergedArguments(
      defaults,
      encryption ? ENCRYPTION_FLAGS : {},
      verifiesKubelets ? { [KUBELET_CA_FLAG]: KUBELET_CA_FILE } : {},
      own?.flags,
      extraArgs.apiServer,
    ),
    ...(extraVolumes.length > 0 ? { extraVolumes } : {}),
    ...certSANs(names),
  };
}

const ENCRYPTION_VOLUME: HostPathMount = {
  name: "encryption",
  hostPath: ENCRYPTION_FOLDER,
  mountPath: ENCRYPTION_FOLDER,
  readOnly: true,
  pathType: "Directory",
};

function certSANs(names: readonly string[] = []): { certSANs?: string[] } {
  return names.length === 0 ? {} : { certSANs: [...new Set(names)] };
}

/**
 * The cluster-wide kubelet configuration has only the settings that all nodes share. Others are in each node's drop-in
 * (`kubelet.ts`).
 */
function kubeletDocument(): KubeletConfiguration {
  return { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", cgroupDriver: "systemd" };
}

/**
 * Returns kube-proxy's configuration, which all machines of the cluster share. It leaves the settings of connection
 * tracking unchanged: kube-proxy exits where it cannot write them, for example in a container. `kernelSysctls` has them
 * for each machine.
 */
export function kubeProxyConfiguration({ proxyMode }: Pick<InitOptions, "proxyMode">): KubeProxyConfiguration {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: proxyMode,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
}

function nodeRegistration(node: KubeadmNode): NodeRegistration {
  return optional<NodeRegistration>({
    name: node.name,
    criSocket: criSocket(node.runtime ?? DEFAULT_RUNTIME),
    taints: node.taints && [...node.taints],
    imagePullPolicy: pullPolicy(node.imagesSideLoaded),
    // On cgroup v1, the only error of this check is cgroup v1 itself, which the kubelet's drop-in accepts
    // (failCgroupV1).
    ignorePreflightErrors: node.facts.cgroupVersion === 1 ? ["SystemVerification"] : undefined,
    kubeletExtraArgs: [{ name: "node-ip", value: node.address }],
  });
}
