import { DEFAULT_RUNTIME, type Runtime } from "../common/runtime";
import { initDefaults, type ComponentArgs, mergedArguments } from "./kubeadm-args";
import type { MachineFacts } from "./facts";
import { withoutUndefined, yamlText } from "./json";
import {
  type ClusterConfiguration,
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
import { criSocket } from "./runtime";

export interface KubeadmNode {
  /** The Node's name in Kubernetes, whatever the machine's hostname is. */
  name: string;
  /** The address that other nodes reach it at: the private one where there is one. */
  address: string;
  facts: Pick<MachineFacts, "cgroupVersion">;
  /** @default containerd */
  runtime?: Runtime;
  /** Images were put into the runtime beforehand: kubeadm then pulls none. */
  imagesSideLoaded: boolean;
  /** Absent: kubeadm's choice. `[]`: none. Later changes are made through the API, not here. */
  taints?: readonly Taint[];
}

export interface KubeadmNetwork {
  podCidr: string;
  serviceCidr: string;
  /** @default cluster.local */
  dnsDomain?: string;
  /** Prefix length of each node's part of the pod range. @default Kubernetes' 24 */
  nodeMaskSize?: number;
}

export interface InitOptions {
  /** Without the `v`: `1.36.3`. */
  kubernetesVersion: string;
  node: KubeadmNode;
  /** @default kubernetes */
  clusterName?: string;
  /** `host:port` of the API server for everybody. @default the first node's address and `bindPort` */
  controlPlaneEndpoint?: string;
  /** @default 6443 */
  bindPort?: number;
  /** How many control planes the cluster will have; a lone one needs no leader election. */
  controlPlanes: number;
  network: KubeadmNetwork;
  proxyMode: ProxyMode;
  /** All machines of the cluster: one kube-proxy configuration serves them all. */
  machines: readonly Pick<MachineFacts, "conntrackWritable">[];
  /** More names and addresses that the API server's certificate is valid for. */
  certSANs?: readonly string[];
  extraArgs?: ComponentArgs;
  /** CoreDNS' tag where the image is not kubeadm's own default: `v1.14.7`. */
  dnsImageTag?: string;
  /** etcd's tag, likewise: `3.6.8-0`. */
  etcdImageTag?: string;
  /** @default registry.k8s.io */
  imageRepository?: string;
  timeouts?: KubeadmTimeouts;
}

export interface JoinOptions {
  node: KubeadmNode;
  /** `host:port`, without a scheme. */
  apiServerEndpoint: string;
  /** Present: the node joins as one more control plane. */
  controlPlane?: { bindPort?: number };
  timeouts?: KubeadmTimeouts;
}

export interface BootstrapSecret {
  token: string;
  /** Go duration; only `kubeadm init` makes tokens. @default 1h0m0s */
  ttl?: string;
  /** `sha256:<hex>` of the CA's public key; a join without one is refused. */
  caCertHashes?: readonly string[];
}

/** What `kubeadm init --config` reads, without the secrets. */
export function initDocuments(options: InitOptions): KubeadmDocument[] {
  return [
    initConfiguration(options),
    clusterConfiguration(options),
    kubeletDocument(),
    kubeProxyConfiguration(options),
  ];
}

/** What `kubeadm join --config` reads, without the secrets and the CA's hash. */
export function joinDocument(options: JoinOptions): JoinConfiguration {
  const { node, controlPlane } = options;
  return withoutUndefined<JoinConfiguration>({
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

/**
 * The same documents with the bootstrap token and the CA's hashes in them. Done where the file is written, on the machine's side of
 * the provider: a token is made at run time, for one node, and must never be in a resource's inputs.
 * @throws when the token is malformed, or a join has no CA hash; neither message shows the token
 */
export function withBootstrapToken(documents: readonly KubeadmDocument[], secret: BootstrapSecret): KubeadmDocument[] {
  if (!/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(secret.token))
    throw new Error("the bootstrap token is not of the form [a-z0-9]{6}.[a-z0-9]{16}");
  return documents.map((document) => {
    if (isInit(document)) return { ...document, bootstrapTokens: [initToken(secret)] };
    return isJoin(document) ? { ...document, discovery: discovery(document, secret) } : document;
  });
}

/**
 * The same documents with kubeadm's preflight switched off: for an init that goes on where it was cut off, whose own ports, files and data
 * are there already. The flag of the same meaning may not stand beside errors that the configuration names.
 */
export function withoutPreflight(documents: readonly KubeadmDocument[]): KubeadmDocument[] {
  return documents.map((document) =>
    isInit(document)
      ? { ...document, nodeRegistration: { ...document.nodeRegistration, ignorePreflightErrors: ["all"] } }
      : document,
  );
}

/**
 * A join whose own waits are over before the whole may take no longer, so that it still says what it waited for. Both are moments when all is
 * well; kubeadm's defaults are 5 minutes each.
 * @param seconds that the whole may take
 */
export function withinSeconds(document: JoinConfiguration, seconds: number): JoinConfiguration {
  const part = (share: number) => `${Math.max(1, Math.floor(seconds * share))}s`;
  return { ...document, timeouts: { discovery: part(0.2), tlsBootstrap: part(0.4), ...document.timeouts } };
}

/** One YAML file with all documents. */
export function toYaml(documents: readonly KubeadmDocument[]): string {
  return documents.map(yamlText).join("---\n");
}

export function pullPolicy(imagesSideLoaded: boolean): PullPolicy {
  return imagesSideLoaded ? "Never" : "IfNotPresent";
}

function imageTag(tag: string | undefined): { imageTag?: string } {
  return tag === undefined ? {} : { imageTag: tag };
}

function initConfiguration(options: InitOptions): InitConfiguration {
  return withoutUndefined<InitConfiguration>({
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
  return withoutUndefined<ClusterConfiguration>({
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
    apiServer: { ...mergedArguments(extraArgs.apiServer), ...certSANs(options.certSANs) },
    controllerManager: mergedArguments(defaults.controllerManager, extraArgs.controllerManager),
    scheduler: mergedArguments(defaults.scheduler, extraArgs.scheduler),
    dns: options.dnsImageTag === undefined ? undefined : imageTag(options.dnsImageTag),
    etcd: {
      local: { dataDir: "/var/lib/etcd", ...imageTag(options.etcdImageTag), ...mergedArguments(extraArgs.etcd) },
    },
  });
}

function certSANs(names: readonly string[] = []): { certSANs?: string[] } {
  return names.length === 0 ? {} : { certSANs: [...new Set(names)] };
}

/** Cluster-wide kubelet configuration holds only what all nodes share; the rest is the node's own drop-in (`kubelet.ts`). */
function kubeletDocument(): KubeletConfiguration {
  return { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", cgroupDriver: "systemd" };
}

/** One configuration for kube-proxy on all machines of the cluster. */
export function kubeProxyConfiguration({
  proxyMode,
  machines,
}: Pick<InitOptions, "proxyMode" | "machines">): KubeProxyConfiguration {
  const base = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: proxyMode,
  } as const;
  if (machines.every((machine) => machine.conntrackWritable)) return base;
  // kube-proxy exits when it may not write nf_conntrack_max and its timeouts; zero means: leave them as they are.
  return { ...base, conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" } };
}

function nodeRegistration(node: KubeadmNode): NodeRegistration {
  return withoutUndefined<NodeRegistration>({
    name: node.name,
    criSocket: criSocket(node.runtime ?? DEFAULT_RUNTIME),
    taints: node.taints && [...node.taints],
    imagePullPolicy: pullPolicy(node.imagesSideLoaded),
    // On cgroup v1 its one error is cgroup v1 itself, which the kubelet's drop-in accepts (failCgroupV1).
    ignorePreflightErrors: node.facts.cgroupVersion === 1 ? ["SystemVerification"] : undefined,
    kubeletExtraArgs: [{ name: "node-ip", value: node.address }],
  });
}

function initToken({
  token,
  ttl = "1h0m0s",
}: BootstrapSecret): NonNullable<InitConfiguration["bootstrapTokens"]>[number] {
  return {
    token,
    ttl,
    usages: ["signing", "authentication"],
    groups: ["system:bootstrappers:kubeadm:default-node-token"],
  };
}

function discovery(
  document: JoinConfiguration,
  { token, caCertHashes = [] }: BootstrapSecret,
): JoinConfiguration["discovery"] {
  if (caCertHashes.length === 0)
    throw new Error("a join needs the hash of the cluster's CA: without it any server could pose as the control plane");
  return { bootstrapToken: { ...document.discovery.bootstrapToken, token, caCertHashes: [...caCertHashes] } };
}

function isInit(document: KubeadmDocument): document is InitConfiguration {
  return document.kind === "InitConfiguration";
}

function isJoin(document: KubeadmDocument): document is JoinConfiguration {
  return document.kind === "JoinConfiguration";
}
