import { CONFIG_ANNOTATION, type JsonValue, configHash } from "./json";
import type { ProxyMode, PullPolicy } from "./kubeadm-types";
import { clusterRole, clusterRoleBinding, type KubernetesObject } from "./object";
import { template } from "./template";

export type FlannelBackend = "host-gw" | "vxlan";

export interface FlannelOptions {
  podCidr: string;
  /** `host-gw` needs all nodes on one network segment; `vxlan` does not. @default host-gw */
  backend?: FlannelBackend;
  /** Full reference: `docker.io/flannel/flannel:v0.26.7`. */
  image: string;
  imagePullPolicy: PullPolicy;
  /** Flannel masquerades with the same tool as kube-proxy, so that the order of their rules is defined. */
  proxyMode: ProxyMode;
  /** Flannel connects to it directly, so that the pod network does not wait for kube-proxy. */
  apiServer: { host: string; port: number };
}

const namespace = "kube-flannel";
/** Namespace and name of the DaemonSet. */
export const FLANNEL = { namespace, daemonSet: "kube-flannel-ds" };
const configName = "kube-flannel-cfg";

/** Returns the objects of the pod network, in the order in which they are applied. */
export function flannelManifests(options: FlannelOptions): KubernetesObject[] {
  const data = flannelConfig(options);
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
    },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "flannel", namespace } },
    clusterRole("flannel", rules),
    clusterRoleBinding("flannel", "flannel", { kind: "ServiceAccount", name: "flannel", namespace }),
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: configName, namespace }, data },
    daemonSet(options),
  ];
}

function flannelConfig(options: FlannelOptions): Record<string, string> {
  const netConf = {
    Network: options.podCidr,
    EnableNFTables: options.proxyMode === "nftables",
    Backend: { Type: options.backend ?? "host-gw" },
  };
  return { "net-conf.json": JSON.stringify(netConf), "run.sh": template("flannel/run.sh") };
}

const rules = [
  { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
  { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
  { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
];

function daemonSet(options: FlannelOptions): KubernetesObject {
  const labels = { app: "flannel" };
  const annotations = { [CONFIG_ANNOTATION]: flannelRevision(options) };
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: FLANNEL.daemonSet, namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      // A node's pod must not be replaced before the node has the new image: `DaemonSetRollout` does it at the end.
      updateStrategy: { type: "OnDelete" },
      template: { metadata: { labels, annotations }, spec: podSpec(options) },
    },
  };
}

/** Returns the revision of flannel's pods. It changes with their image, their settings and their ConfigMap. */
export function flannelRevision(options: FlannelOptions): string {
  return configHash({ data: flannelConfig(options), spec: podSpec(options) });
}

function podSpec(options: FlannelOptions): object {
  return {
    hostNetwork: true,
    priorityClassName: "system-node-critical",
    serviceAccountName: "flannel",
    tolerations: [{ operator: "Exists" }],
    terminationGracePeriodSeconds: 2,
    containers: [container(options)],
    volumes: [
      { name: "run", hostPath: { path: "/run/flannel", type: "DirectoryOrCreate" } },
      { name: "cni", hostPath: { path: "/etc/cni/net.d", type: "DirectoryOrCreate" } },
      { name: "cfg", configMap: { name: configName } },
      { name: "xtables-lock", hostPath: { path: "/run/xtables.lock", type: "FileOrCreate" } },
    ],
  };
}

function container({ image, imagePullPolicy, apiServer }: FlannelOptions): object {
  return {
    name: "kube-flannel",
    image,
    imagePullPolicy,
    command: ["/bin/sh", "/etc/kube-flannel/run.sh"],
    // The node's address. Where the first interface is NAT, flannel would choose the same address on every node.
    args: ["--iface=$(HOST_IP)"],
    env: environment(apiServer),
    resources: { requests: { cpu: "50m", memory: "50Mi" } },
    securityContext: { privileged: false, capabilities: { add: ["NET_ADMIN", "NET_RAW"] } },
    volumeMounts: [
      { name: "run", mountPath: "/run/flannel" },
      { name: "cni", mountPath: "/etc/cni/net.d" },
      { name: "cfg", mountPath: "/etc/kube-flannel/" },
      { name: "xtables-lock", mountPath: "/run/xtables.lock" },
    ],
  };
}

function environment(apiServer: FlannelOptions["apiServer"]): JsonValue[] {
  return [
    fromField("POD_NAME", "metadata.name"),
    fromField("POD_NAMESPACE", "metadata.namespace"),
    fromField("HOST_IP", "status.hostIP"),
    { name: "KUBERNETES_SERVICE_HOST", value: apiServer.host },
    { name: "KUBERNETES_SERVICE_PORT", value: String(apiServer.port) },
  ];
}

function fromField(name: string, fieldPath: string): JsonValue {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}
