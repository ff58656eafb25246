import type { KubeadmTimeouts } from "../../render/kubeadm-types";

/** Seconds of kubeadm's own default deadlines: https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/ */
const DEFAULT_SECONDS = {
  controlPlaneComponentHealthCheck: 240,
  kubeletHealthCheck: 240,
  kubernetesAPICall: 60,
  etcdAPICall: 120,
} as const;

/** Returns the document with kubeadm's own deadlines multiplied by the patience. Configured deadlines stay. */
export function withPatience<T extends { kind?: unknown; timeouts?: KubeadmTimeouts }>(
  document: T,
  patience: number,
): T {
  if (patience === 1) return document;
  const scaled = Object.entries(DEFAULT_SECONDS).map(([name, seconds]) => [name, `${seconds * patience}s`]);
  return { ...document, timeouts: { ...(Object.fromEntries(scaled) as KubeadmTimeouts), ...document.timeouts } };
}
