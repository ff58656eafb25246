/** Readiness probe settings of CoreDNS. */
export const corednsReadiness = { periodSeconds: 1 };

/** A strategic merge patch of one object. */
export interface ObjectPatch {
  apiVersion: string;
  kind: string;
  metadata: { namespace: string; name: string };
  spec: object;
}

/** Seconds after which a pod leaves a node that has become unreachable. Kubernetes' own default is 300. */
const LEAVE_SECONDS = 30;

/**
 * Returns a patch of kubeadm's CoreDNS. Containers are merged by name, so nothing else changes.
 *
 * - It is ready sooner: the kubelet delays the first readiness probe by a random part of the period, which is 10 s by
 *   default; until then no Service refers to CoreDNS.
 * - With several nodes, its replicas run on different ones. Both are created while the first control plane is the only
 *   node, where they would stay together: so the second one waits for a second node.
 * - A replica leaves a lost node after seconds, not minutes.
 */
export function corednsPatch({ nodes }: { nodes: number }): ObjectPatch {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: "kube-system", name: "coredns" },
    spec: {
      template: {
        spec: {
          containers: [{ name: "coredns", readinessProbe: corednsReadiness }],
          tolerations: [...KUBEADM_TOLERATIONS, ...["not-ready", "unreachable"].map(leaveSoon)],
          topologySpreadConstraints: [{ $patch: "replace" }, ...(nodes > 1 ? [SPREAD] : [])],
        },
      },
    },
  };
}

/** A patch replaces the whole list of tolerations. */
const KUBEADM_TOLERATIONS = [
  { key: "CriticalAddonsOnly", operator: "Exists" },
  { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" },
];

function leaveSoon(condition: string): object {
  const key = `node.kubernetes.io/${condition}`;
  return { key, operator: "Exists", effect: "NoExecute", tolerationSeconds: LEAVE_SECONDS };
}

/** Cordoned and lost nodes do not count, so that a replica can move to a node that has none. */
const SPREAD = {
  maxSkew: 1,
  minDomains: 2,
  topologyKey: "kubernetes.io/hostname",
  whenUnsatisfiable: "DoNotSchedule",
  nodeTaintsPolicy: "Honor",
  labelSelector: { matchLabels: { "k8s-app": "kube-dns" } },
  matchLabelKeys: ["pod-template-hash"],
};
