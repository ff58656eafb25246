import type { V1ConfigMap, V1Namespace, V1Pod, V1Service } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};
import { isIPv6 } from "node:net";

/** Ports of a pod's DNS servers. */
export const PORTS = {
  /** Answers with the name of the pod's node and the token. */
  own: 1053,
  /** Asks the Service that leads to the pod on another node. */
  service: 1054,
  /** Asks the DNS of the cluster. */
  clusterDns: 1055,
} as const;

/** Label of all namespaces of checks. */
export const CHECK_LABEL = "kubewright.io/check";
const POD_LABEL = "kubewright.io/check-pod";
const VOLUME = "config";

export function checkNamespace(name: string): V1Namespace {
  // The pods have a capability that the level `restricted`, which a cluster may have, does not allow.
  return { metadata: { name, labels: { [CHECK_LABEL]: "true", "pod-security.kubernetes.io/enforce": "baseline" } } };
}

/** The configuration of CoreDNS in the pods. A template answers every name. */
export function checkConfigMap(token: string): V1ConfigMap {
  const Corefile = `.:${PORTS.own} {
  template IN TXT {
    answer "{{ .Name }} 0 IN TXT \\"{$NODE} ${token}\\""
  }
}
.:${PORTS.service} {
  forward . {$SERVICE}:53 {
    force_tcp
  }
}
.:${PORTS.clusterDns} {
  forward . {$CLUSTER_DNS}:53
}
`;
  return { metadata: { name: "check" }, data: { Corefile } };
}

/** A Service that leads to one pod. */
export function checkService(pod: string): V1Service {
  return {
    metadata: { name: pod },
    spec: { selector: { [POD_LABEL]: pod }, ports: [{ port: 53, targetPort: PORTS.own, protocol: "TCP" }] },
  };
}

export interface CheckPod {
  name: string;
  node: string;
  /** CoreDNS, which is on the node already. */
  image: string;
  /** Address of the Service that leads to another node. */
  service: string;
  /** Address of the cluster's DNS. */
  clusterDns: string;
}

/** A pod that the scheduler places on one node. Its image is never pulled. */
export function checkPod({ name, node, image, service, clusterDns }: CheckPod): V1Pod {
  const env = { NODE: node, SERVICE: inUrl(service), CLUSTER_DNS: inUrl(clusterDns) };
  const onNode = { matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] };
  return {
    metadata: { name, labels: { [POD_LABEL]: name } },
    spec: {
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [onNode] } } },
      tolerations: [{ operator: "Exists" }],
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      // It asks the cluster's DNS itself.
      dnsPolicy: "Default",
      containers: [
        {
          name: "dns",
          image,
          imagePullPolicy: "Never",
          args: ["-conf", "/etc/check/Corefile"],
          env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
          readinessProbe: { tcpSocket: { port: PORTS.own }, periodSeconds: 1 },
          // The program in the official image has this capability, and does not start without it.
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
            readOnlyRootFilesystem: true,
          },
          volumeMounts: [{ name: VOLUME, mountPath: "/etc/check", readOnly: true }],
        },
      ],
      volumes: [{ name: VOLUME, configMap: { name: "check" } }],
    },
  };
}

function inUrl(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}
