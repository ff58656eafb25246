import type { V1Node, V1Pod, V1Taint } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { messageOf } from "../../common/errors";
import { SOON_DAYS, readCertificateExpiries, type CertificateExpiry } from "../../provider/kubeadm/certificates";
import type { Remote } from "../../provider/ssh/remote";
import type { KubeApi } from "../../provider/kube/api";
import { isCordoned, isReady } from "../../provider/kube/cordon";
import { isFinished } from "../../provider/kube/pods";
import { POOL_LABEL } from "../../common/labels";
import { parseQuantity } from "../../provider/kube/quantity";
import { retryRequest } from "../../provider/kube/retry";

const DAY_MS = 86_400_000;

export interface NodeStatus {
  name: string;
  pool: string;
  /** The kubelet's. */
  version: string;
  /** `containerd 2.4.2` */
  runtime: string;
  ready: boolean;
  /** Conditions that are not as they should be: `MemoryPressure`, `Ready: kubelet stopped posting node status`. */
  troubles: string[];
  cordoned: boolean;
  /** Without those that Kubernetes sets for a condition. */
  taints: string[];
  pods: number;
  /** Pods that its kubelet has evicted and that are still listed. */
  evicted: number;
  /** maxPods. */
  capacity: number;
  address: string;
}

export interface ClusterStatus {
  /** The API server's, without the `v`; empty where no node has one. */
  version: string;
  nodes: NodeStatus[];
  certificates: CertificateExpiry[];
  /** What a person should look at; none is healthy. */
  problems: string[];
  healthy: boolean;
}

export interface StatusOptions {
  signal: AbortSignal;
  /** Control planes whose certificates are read over SSH. */
  controlPlanes?: readonly Remote[];
}

/** The cluster at a glance. */
export async function clusterStatus(
  api: KubeApi,
  { signal, controlPlanes = [] }: StatusOptions,
): Promise<ClusterStatus> {
  const [nodes, pods, read] = await Promise.all([
    retryRequest(api, "listing nodes", signal, () => api.core.listNode()),
    retryRequest(api, "listing pods", signal, () => api.core.listPodForAllNamespaces()),
    Promise.all(controlPlanes.map((machine) => ends(machine, signal))),
  ]);
  const statuses = nodes.items.map((node) => statusOf(node, pods.items));
  const certificates = read.flatMap(({ found }) => found);
  const problems = [
    ...statuses.flatMap(problemsOf),
    ...read.flatMap(({ trouble }) => trouble ?? []),
    ...certificates.flatMap(endingSoon),
  ];
  const version = nodes.items.find(isControlPlane)?.status?.nodeInfo?.kubeletVersion ?? "";
  return {
    version: version.replace(/^v/, ""),
    nodes: statuses,
    certificates,
    problems,
    healthy: problems.length === 0,
  };
}

/** A control plane that cannot be read is a finding, not the end of the look. */
async function ends(machine: Remote, signal: AbortSignal): Promise<{ found: CertificateExpiry[]; trouble?: string }> {
  try {
    return { found: await readCertificateExpiries(machine, signal) };
  } catch (error) {
    signal.throwIfAborted();
    return { found: [], trouble: `certificates were not read: ${messageOf(error)}` };
  }
}

function statusOf(node: V1Node, pods: readonly V1Pod[]): NodeStatus {
  const { metadata, spec, status } = node;
  const name = metadata?.name ?? "";
  return {
    name,
    pool: metadata?.labels?.[POOL_LABEL] ?? (isControlPlane(node) ? "control-plane" : ""),
    version: (status?.nodeInfo?.kubeletVersion ?? "").replace(/^v/, ""),
    runtime: (status?.nodeInfo?.containerRuntimeVersion ?? "").replace("://", " "),
    ready: isReady(node),
    troubles: troublesOf(node),
    cordoned: isCordoned(node),
    taints: (spec?.taints ?? []).filter(({ key }) => !key.startsWith("node.kubernetes.io/")).map(taintText),
    pods: pods.filter((pod) => pod.spec?.nodeName === name && !isFinished(pod)).length,
    evicted: pods.filter((pod) => pod.spec?.nodeName === name && pod.status?.reason === "Evicted").length,
    capacity: parseQuantity(status?.allocatable?.pods),
    address: status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "",
  };
}

/** Ready should be True, the pressures False. */
function troublesOf({ status }: V1Node): string[] {
  return (status?.conditions ?? []).flatMap(({ type, status: value, message, reason }) => {
    if (type === "Ready") return value === "True" ? [] : [`not Ready: ${message ?? reason ?? "unknown"}`];
    return value === "True" ? [type] : [];
  });
}

function isControlPlane({ metadata }: V1Node): boolean {
  return metadata?.labels?.["node-role.kubernetes.io/control-plane"] !== undefined;
}

function taintText({ key, value, effect }: V1Taint): string {
  return `${key}${value ? `=${value}` : ""}:${effect}`;
}

/** What a person does about a pressure. Until it ends the kubelet evicts pods, and new ones are placed elsewhere. */
const REMEDIES: Readonly<Record<string, (node: NodeStatus) => string>> = {
  DiskPressure: (node) =>
    `its disk is nearly full${evictions(node)}; free space below /var/lib (\`df -h /var/lib\` on ${node.address || node.name}) or enlarge the disk, else change ${thresholds(node, "nodefs.available and imagefs.available")}`,
  MemoryPressure: (node) =>
    `its memory is nearly used up${evictions(node)}; move pods away, give them limits or the machine more memory, else change ${thresholds(node, "memory.available")}`,
  PIDPressure: (node) =>
    `it has nearly no process numbers left${evictions(node)}; find the pod that starts so many, or set kubelet.podPidsLimit`,
};

function evictions({ evicted }: NodeStatus): string {
  return evicted === 0 ? "" : `, and ${evicted} ${evicted === 1 ? "pod was" : "pods were"} evicted`;
}

/** As the configuration names it; a pool of a person's own is below `pools`. */
function thresholds({ pool }: NodeStatus, signals: string): string {
  const path = { "control-plane": "controlPlane", workers: "workers" }[pool] ?? `pools.${pool}`;
  return `${path}.kubelet.evictionHard (${signals})`;
}

function problemsOf(node: NodeStatus): string[] {
  const { name, troubles, cordoned, ready } = node;
  const none = !ready && troubles.length === 0 ? ["not Ready"] : [];
  const found = troubles.map((trouble) => [trouble, REMEDIES[trouble]?.(node)].filter(Boolean).join(": "));
  return [...none, ...found, ...(cordoned ? ["cordoned"] : [])].map((problem) => `${name}: ${problem}`);
}

function endingSoon({ machine, name, end }: CertificateExpiry): string[] {
  const days = Math.floor((end.getTime() - Date.now()) / DAY_MS);
  if (days > SOON_DAYS) return [];
  return [`${machine}: certificate ${name} ${days < 0 ? "has ended" : `ends in ${days} days`}`];
}
