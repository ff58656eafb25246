import type { MachineFacts } from "../facts";
import { type JsonValue, yamlText } from "../json";
import { MANIFESTS } from "./paths";

/** The kubelet's own copy: it has one on every machine, whatever else is there. */
export const KUBELET_CA = "/var/lib/kubelet/cluster-ca.crt";
export const KUBELET_KUBECONFIG = "/etc/kubernetes/kubelet.conf";
export const BOOTSTRAP_KUBECONFIG = "/etc/kubernetes/bootstrap-kubelet.conf";
export const KUBELET_ENVIRONMENT = "/etc/kubernetes/kubelet.env";
/** Read after 10-kubewright.conf, the person's settings. */
export const CLUSTER_DROP_IN = "/etc/kubernetes/kubelet.conf.d/20-cluster.conf";

export interface StandaloneOptions {
  criSocket: string;
  facts: Pick<MachineFacts, "systemdResolved">;
}

/**
 * /var/lib/kubelet/config.yaml of a kubelet that belongs to no cluster: it watches the folder of manifests. Nobody can show it who they
 * are, so nobody may ask it anything, but for its health on the machine itself.
 * Source: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
export function standaloneConfiguration({ criSocket, facts }: StandaloneOptions): string {
  return yamlText({
    ...header,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    cgroupDriver: "systemd",
    containerRuntimeEndpoint: criSocket,
    // Its stub on 127.0.0.53 is of no use inside a pod.
    ...(facts.systemdResolved ? { resolvConf: "/run/systemd/resolve/resolv.conf" } : {}),
    staticPodPath: MANIFESTS,
  });
}

export interface ClusterKubeletOptions {
  /** CoreDNS' address, which pods are told also while nobody answers there yet: so they need no restart when it comes. */
  clusterDns: string;
  dnsDomain: string;
}

/** What changes once it belongs to a cluster: the API server says who may ask it what. */
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

/** Where the API is, for the kubelet's unit. */
export function kubeletEnvironment(): string {
  return `KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=${BOOTSTRAP_KUBECONFIG} --kubeconfig=${KUBELET_KUBECONFIG}\n`;
}

/** What a kubelet has beside, in a cluster. */
export function clusterFiles(options: ClusterKubeletOptions): Record<string, { content: string; mode: number }> {
  return {
    [CLUSTER_DROP_IN]: { content: clusterConfiguration(options), mode: 0o644 },
    [KUBELET_ENVIRONMENT]: { content: kubeletEnvironment(), mode: 0o644 },
  };
}

const header: Record<string, JsonValue> = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };
