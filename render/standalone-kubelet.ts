import { optional } from "../common/optional";
import type { MachineFacts } from "./facts";
import { type JsonValue, yamlText } from "./json";
import { MANIFESTS } from "./component-paths";

/** The kubelet's copy of the CA, at the same path on every machine. */
export const KUBELET_CA = "/var/lib/kubelet/cluster-ca.crt";
export const KUBELET_KUBECONFIG = "/etc/kubernetes/kubelet.conf";
export const BOOTSTRAP_KUBECONFIG = "/etc/kubernetes/bootstrap-kubelet.conf";
export const KUBELET_ENVIRONMENT = "/etc/kubernetes/kubelet.env";
/** Read after 10-kubewright.conf, which has the user's settings. */
export const CLUSTER_DROP_IN = "/etc/kubernetes/kubelet.conf.d/20-cluster.conf";

export interface StandaloneOptions {
  criSocket: string;
  facts: Pick<MachineFacts, "systemdResolved">;
}

/**
 * Renders /var/lib/kubelet/config.yaml of a kubelet that belongs to no cluster and runs static pods only. Its API
 * accepts no requests, because it cannot authenticate clients. Its health check is available on the machine itself.
 * Source: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
export function standaloneConfiguration({ criSocket, facts }: StandaloneOptions): string {
  return yamlText({
    ...header,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    cgroupDriver: "systemd",
    containerRuntimeEndpoint: criSocket,
    // Pods cannot reach systemd-resolved's stub at 127.0.0.53.
    ...optional({ resolvConf: facts.systemdResolved ? "/run/systemd/resolve/resolv.conf" : undefined }),
    staticPodPath: MANIFESTS,
  });
}

export interface ClusterKubeletOptions {
  /** CoreDNS' address. Set before CoreDNS runs, so that pods need no restart when it is added. */
  clusterDns: string;
  dnsDomain: string;
}

/**
 * Renders the settings that change when the kubelet joins a cluster: the API server authenticates and authorizes its
 * clients.
 */
export function clusterConfiguration({ clusterDns, dnsDomain }: ClusterKubeletOptions): string {
  return yamlText({
    ...header,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: KUBELET_CA } },
    authorization: { mode: "Webhook" },
    clusterDNS: [clusterDns],
    clusterDomain: dnsDomain,
    rotateCertificates: true,
  });
}

/** Renders the environment of the kubelet's unit, with the paths of its kubeconfigs. */
export function kubeletEnvironment(): string {
  return `KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=${BOOTSTRAP_KUBECONFIG} --kubeconfig=${KUBELET_KUBECONFIG}\n`;
}

/** Returns the additional files of a kubelet in a cluster. */
export function clusterFiles(options: ClusterKubeletOptions): Record<string, { content: string; mode: number }> {
  return {
    [CLUSTER_DROP_IN]: { content: clusterConfiguration(options), mode: 0o600 },
    [KUBELET_ENVIRONMENT]: { content: kubeletEnvironment(), mode: 0o600 },
  };
}

const header: Record<string, JsonValue> = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };
