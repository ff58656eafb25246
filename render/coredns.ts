/** How often CoreDNS is asked whether it is ready. */
export const corednsReadiness = { periodSeconds: 1 };

/** A strategic merge patch and what it is for. */
export interface ObjectPatch {
  apiVersion: string;
  kind: string;
  metadata: { namespace: string; name: string };
  spec: object;
}

/**
 * The first readiness probe comes after a random part of its period, which is 10 s by default: up to 10 s in which the cluster
 * has a running CoreDNS that no Service points at. Containers are merged by name, so nothing else of kubeadm's Deployment changes.
 */
export function corednsPatch(): ObjectPatch {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: "kube-system", name: "coredns" },
    spec: { template: { spec: { containers: [{ name: "coredns", readinessProbe: corednsReadiness }] } } },
  };
}
