import type { V1Node, V1Pod, V1Taint } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { optional } from "../../common/optional";
import { etcdProblems, readEtcdReport, type EtcdReport } from "../../provider/kubeadm/etcd-report";
import type { Remote } from "../../provider/ssh/remote";
import type { KubeApi } from "../../provider/kube/api";
import { isCordoned, isReady } from "../../provider/kube/cordon";
import { isControlPlane, kubeletVersionOf } from "../../provider/kube/node-facts";
import { isFinished } from "../../provider/kube/pods";
import { pluralize } from "../terminal/text";
import { POOL_LABEL } from "../../common/labels";
import { parseQuantity } from "../../provider/kube/quantity";
import { retryRequest } from "../../provider/kube/retry";
import { readCertificateReport, type CertificateStatus } from "./certificate-status";
import { readRenewalProblems } from "./renewal-status";

/** Factor for the deadline of requests: a status that takes long is itself a result. */
const STATUS_PATIENCE = 0.25;

export interface NodeStatus {
  name: string;
  pool: string;
  /** Version of the kubelet. */
  version: string;
  /** `containerd 2.4.2` */
  runtime: string;
  ready: boolean;
  /** Unhealthy conditions: `MemoryPressure`, `NotReady: kubelet stopped posting node status`. */
  conditions: string[];
  cordoned: boolean;
  /** Taints, except those that Kubernetes sets for a condition. */
  taints: string[];
  pods: number;
  /** Pods that the kubelet evicted and that still exist. */
  evicted: number;
  /** Allocatable pods. */
  capacity: number;
  address: string;
  /** `control-plane` */
  roles: string[];
  /** ISO 8601. */
  created: string;
}

export interface ClusterStatus {
  /** Kubernetes version of the control plane, without the `v`; empty where there is none. */
  version: string;
  nodes: NodeStatus[];
  /** Every certificate on every machine. */
  certificates: CertificateStatus[];
  /** Absent if no control plane's etcd answers. */
  etcd?: EtcdReport;
  /** Problems that an operator should look into; empty for a healthy cluster. */
  problems: string[];
  /** What will become a problem, such as certificates that expire within 30 days. The cluster is healthy. */
  warnings: string[];
  healthy: boolean;
}

export interface StatusOptions {
  signal: AbortSignal;
  /** Control planes through which etcd is read over SSH. @default none */
  controlPlanes?: readonly Remote[];
  /** Machines whose certificates are read over SSH. @default the control planes */
  machines?: readonly Remote[];
}

/** Reads the health of nodes, pods and certificates. */
export async function clusterStatus(
  api: KubeApi,
  { signal, controlPlanes = [], machines = controlPlanes }: StatusOptions,
): Promise<ClusterStatus> {
  const limit = { patience: api.patience * STATUS_PATIENCE };
  const [nodes, pods, report, renewals, etcd] = await Promise.all([
    retryRequest(limit, "listing nodes", signal, () => api.core.listNode()),
    retryRequest(limit, "listing pods", signal, () => api.core.listPodForAllNamespaces()),
    readCertificateReport(machines, signal),
    readRenewalProblems(controlPlanes, { signal }),
    readEtcd(controlPlanes, signal),
  ]);
  const statuses = nodes.items.map((node) => statusOf(node, pods.items));
  const problems = [
    ...statuses.flatMap(problemsOf),
    ...report.problems,
    ...renewals,
    ...(etcd ? etcdProblems(etcd) : []),
  ];
  const controlPlane = nodes.items.find(isControlPlane);
  return {
    version: (controlPlane && kubeletVersionOf(controlPlane)) ?? "",
    nodes: statuses,
    certificates: report.certificates,
    ...optional({ etcd }),
    problems,
    warnings: report.warnings,
    healthy: problems.length === 0,
  };
}

/** Reads etcd's state through the first control plane whose etcd answers. */
async function readEtcd(controlPlanes: readonly Remote[], signal: AbortSignal): Promise<EtcdReport | undefined> {
  for (const machine of controlPlanes) {
    const report = await readEtcdReport(machine, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (report) return report;
  }
  return undefined;
}

function statusOf(node: V1Node, pods: readonly V1Pod[]): NodeStatus {
  const { metadata, spec, status } = node;
  const name = metadata?.name ?? "";
  return {
    name,
    pool: metadata?.labels?.[POOL_LABEL] ?? (isControlPlane(node) ? "control-plane" : ""),
    version: kubeletVersionOf(node) ?? "",
    runtime: (status?.nodeInfo?.containerRuntimeVersion ?? "").replace("://", " "),
    ready: isReady(node),
    conditions: unhealthyConditions(node),
    cordoned: isCordoned(node),
    taints: (spec?.taints ?? []).filter(({ key }) => !key.startsWith("node.kubernetes.io/")).map(taintText),
    pods: pods.filter((pod) => pod.spec?.nodeName === name && !isFinished(pod)).length,
    evicted: pods.filter((pod) => pod.spec?.nodeName === name && pod.status?.reason === "Evicted").length,
    capacity: parseQuantity(status?.allocatable?.pods),
    address: status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "",
    roles: rolesOf(node),
    created: new Date(metadata?.creationTimestamp ?? 0).toISOString(),
  };
}

/** Ready must be True, all other conditions False. */
function unhealthyConditions({ status }: V1Node): string[] {
  return (status?.conditions ?? []).flatMap(({ type, status: value, message, reason }) => {
    if (type === "Ready") return value === "True" ? [] : [`NotReady: ${message ?? reason ?? "unknown reason"}`];
    return value === "True" ? [type] : [];
  });
}

const ROLE_LABEL = "node-role.kubernetes.io/";

function rolesOf({ metadata }: V1Node): string[] {
  return Object.keys(metadata?.labels ?? {}).flatMap((label) =>
    label.startsWith(ROLE_LABEL) ? [label.slice(ROLE_LABEL.length)] : [],
  );
}

function taintText({ key, value, effect }: V1Taint): string {
  return `${key}${value ? `=${value}` : ""}:${effect}`;
}

/**
 * What an operator can do about a pressure. While it lasts the kubelet evicts pods, and new pods are scheduled
 * elsewhere.
 */
const REMEDIES: Readonly<Record<string, (node: NodeStatus) => string>> = {
  DiskPressure: (node) =>
    `its disk is nearly full${evictions(node)}; free space below /var/lib (see \`df -h /var/lib\` on ` +
    `${node.address || node.name}) or enlarge the disk, or change ` +
    thresholds(node, "nodefs.available and imagefs.available"),
  MemoryPressure: (node) =>
    `its memory is nearly used up${evictions(node)}; move pods to other nodes, set memory limits or add memory, ` +
    `or change ${thresholds(node, "memory.available")}`,
  PIDPressure: (node) =>
    `it has nearly no process ids left${evictions(node)}; find the pod that starts so many processes, ` +
    "or set kubelet.podPidsLimit",
};

function evictions({ evicted }: NodeStatus): string {
  return evicted === 0 ? "" : `, and ${pluralize(evicted, "pod was", "pods were")} evicted`;
}

/** Configuration path of a pool's eviction thresholds. */
function thresholds({ pool }: NodeStatus, signals: string): string {
  const path = { "control-plane": "controlPlane", workers: "workers" }[pool] ?? `pools.${pool}`;
  return `${path}.kubelet.evictionHard (${signals})`;
}

/** Returns the problems of a node, each with what an operator can do about it. */
export function problemsOf(node: NodeStatus): string[] {
  const { name, conditions, cordoned, ready } = node;
  const isSilent = !ready && conditions.length === 0;
  const problems = [
    ...(isSilent ? ["NotReady"] : []),
    ...conditions.map((condition) => [condition, REMEDIES[condition]?.(node)].filter(Boolean).join(": ")),
    ...(cordoned ? ["cordoned"] : []),
  ];
  return problems.map((problem) => `${name}: ${problem}`);
}
