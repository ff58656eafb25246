import { CONFIG_ANNOTATION, configHash } from "../json";
import type { PullPolicy } from "../kubeadm-types";
import { clusterRole, clusterRoleBinding, type KubernetesObject } from "../object";
import { template } from "../template";
import { corednsReadiness } from "../coredns";

const namespace = "kube-system";
const name = "coredns";
const labels = { "k8s-app": "kube-dns" };

export interface CorednsOptions {
  image: string;
  imagePullPolicy: PullPolicy;
  /** The tenth address of the service range, which kubelets write to the resolv.conf of pods. */
  clusterIp: string;
  dnsDomain: string;
}

/** Returns the objects of CoreDNS, as kubeadm installs them. */
export function corednsManifests(options: CorednsOptions): KubernetesObject[] {
  const data = { Corefile: template("components/Corefile", { DNS_DOMAIN: options.dnsDomain }) };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    clusterRole("system:coredns", [
      { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    ]),
    clusterRoleBinding("system:coredns", "system:coredns", { kind: "ServiceAccount", name, namespace }),
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data },
    service(options.clusterIp),
    deployment(options, data),
  ];
}

function service(clusterIP: string): KubernetesObject {
  const port = (name: string, number: number, protocol: string) => ({
    name,
    port: number,
    protocol,
    targetPort: number,
  });
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "kube-dns",
      namespace,
      labels: { ...labels, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
    },
    spec: {
      clusterIP,
      selector: labels,
      ports: [port("dns", 53, "UDP"), port("dns-tcp", 53, "TCP"), port("metrics", 9153, "TCP")],
    },
  };
}

function deployment(options: CorednsOptions, data: Record<string, string>): KubernetesObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels },
    spec: {
      replicas: 2,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: { [CONFIG_ANNOTATION]: configHash(data) } },
        spec: podSpec(options),
      },
    },
  };
}

function podSpec({ image, imagePullPolicy }: CorednsOptions): object {
  const spread = { labelSelector: { matchLabels: labels }, topologyKey: "kubernetes.io/hostname" };
  return {
    priorityClassName: "system-cluster-critical",
    serviceAccountName: name,
    dnsPolicy: "Default",
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [
      { key: "CriticalAddonsOnly", operator: "Exists" },
      { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" },
    ],
    affinity: {
      podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: spread }] },
    },
    containers: [
      {
        name,
        image,
        imagePullPolicy,
        args: ["-conf", "/etc/coredns/Corefile"],
        resources: { limits: { memory: "170Mi" }, requests: { cpu: "100m", memory: "70Mi" } },
        volumeMounts: [{ name: "config-volume", mountPath: "/etc/coredns", readOnly: true }],
        ports: [
          { containerPort: 53, name: "dns", protocol: "UDP" },
          { containerPort: 53, name: "dns-tcp", protocol: "TCP" },
          { containerPort: 9153, name: "metrics", protocol: "TCP" },
        ],
        livenessProbe: {
          httpGet: { path: "/health", port: 8080, scheme: "HTTP" },
          initialDelaySeconds: 60,
          timeoutSeconds: 5,
        },
        readinessProbe: { httpGet: { path: "/ready", port: 8181, scheme: "HTTP" }, ...corednsReadiness },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
          readOnlyRootFilesystem: true,
        },
      },
    ],
    volumes: [{ name: "config-volume", configMap: { name, items: [{ key: "Corefile", path: "Corefile" }] } }],
  };
}
