/** Readiness probe settings of CoreDNS. */
export const corednsReadiness = { periodSeconds: 1 };

/** A strategic merge patch of one object. */
export interface ObjectPatch {
  apiVersion: string;
  kind: string;
  metadata: { namespace: string; name: string };
  spec: object;
}

/**
 * Returns a patch that makes kubeadm's CoreDNS ready sooner. The kubelet delays the first readiness probe by a random
 * part of the period, which is 10 s by default; until then no Service refers to CoreDNS. Containers are merged by name,
 * so nothing else changes.
 */
export function corednsPatch(): ObjectPatch {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: "kube-system", name: "coredns" },
    spec: { template: { spec: { containers: [{ name: "coredns", readinessProbe: corednsReadiness }] } } },
  };
}
