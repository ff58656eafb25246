import type { V1Container, V1Node, V1Pod, V1Taint } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { isCordoned, isReady } from "./cordon";
import { isEvictable, isFinished, podName } from "./pods";
import { parseQuantity } from "./quantity";

interface Requests {
  cpu: number;
  /** Bytes. */
  memory: number;
}

interface FreeCapacity extends Requests {
  node: V1Node;
  pods: number;
}

export interface CapacityForecast {
  /** Pods that fit on no other node, each with the reason. */
  unschedulable: string[];
  /** Free capacity of the other schedulable nodes before the drain. */
  free: { cpu: number; memoryMiB: number; pods: number };
}

/**
 * Forecasts whether the pods of a node fit on the other nodes. Places the largest pods first, by requests, taints and
 * nodeSelector. Does not consider affinity, topology spread or volumes.
 */
export function forecastCapacity(node: string, nodes: readonly V1Node[], pods: readonly V1Pod[]): CapacityForecast {
  const others = nodes
    .filter((other) => other.metadata?.name !== node && isReady(other) && !isCordoned(other))
    .map((other) => freeCapacityOf(other, pods));
  const free = {
    cpu: sum(others.map(({ cpu }) => Math.max(0, cpu))),
    memoryMiB: Math.floor(sum(others.map(({ memory }) => Math.max(0, memory))) / 2 ** 20),
    pods: sum(others.map((other) => Math.max(0, other.pods))),
  };
  const moving = pods.filter((pod) => pod.spec?.nodeName === node && isEvictable(pod)).sort(byRequestsDescending);
  return { unschedulable: moving.flatMap((pod) => placePod(pod, others) ?? []), free };
}

function byRequestsDescending(one: V1Pod, other: V1Pod): number {
  const [first, second] = [requestsOf(one), requestsOf(other)];
  return second.memory - first.memory || second.cpu - first.cpu;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function freeCapacityOf(node: V1Node, pods: readonly V1Pod[]): FreeCapacity {
  const running = pods.filter((pod) => pod.spec?.nodeName === node.metadata?.name && !isFinished(pod));
  const requests = running.map(requestsOf);
  const allocatable = node.status?.allocatable ?? {};
  return {
    node,
    cpu: parseQuantity(allocatable.cpu) - sum(requests.map(({ cpu }) => cpu)),
    memory: parseQuantity(allocatable.memory) - sum(requests.map(({ memory }) => memory)),
    pods: parseQuantity(allocatable.pods) - running.length,
  };
}

/** Reserves the pod's requests on the first node where it fits. @returns the reason when it fits nowhere */
function placePod(pod: V1Pod, nodes: readonly FreeCapacity[]): string | undefined {
  const requests = requestsOf(pod);
  const candidates = nodes.filter(({ node }) => acceptsPod(node, pod));
  if (candidates.length === 0) {
    return `${podName(pod)}: no other node accepts it (taints, nodeSelector or cordons)`;
  }
  const target = candidates.find(
    ({ cpu, memory, pods }) => cpu >= requests.cpu && memory >= requests.memory && pods >= 1,
  );
  if (!target) return `${podName(pod)}: ${describeShortage(requests, candidates)}`;
  target.cpu -= requests.cpu;
  target.memory -= requests.memory;
  target.pods -= 1;
  return undefined;
}

function describeShortage({ cpu, memory }: Requests, nodes: readonly FreeCapacity[]): string {
  if (nodes.every(({ pods }) => pods < 1)) return "every other node already runs its maximum number of pods (maxPods)";
  if (nodes.every((node) => node.memory < memory)) {
    return `no other node has ${Math.ceil(memory / 2 ** 20)} MiB of memory free`;
  }
  if (nodes.every((node) => node.cpu < cpu)) return `no other node has ${cpu} CPU free`;
  return "no other node has enough CPU, memory and pod slots free";
}

/** Returns whether the node matches the pod's nodeSelector and the pod tolerates the node's taints. */
function acceptsPod(node: V1Node, { spec }: V1Pod): boolean {
  const labels = node.metadata?.labels ?? {};
  const isSelected = Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect !== "PreferNoSchedule");
  return isSelected && taints.every((taint) => isTolerated(taint, spec?.tolerations ?? []));
}

/** Returns whether one of the tolerations matches the taint. */
export function isTolerated(
  taint: Pick<V1Taint, "key" | "effect" | "value">,
  tolerations: NonNullable<NonNullable<V1Pod["spec"]>["tolerations"]>,
): boolean {
  return tolerations.some(({ key, operator, value, effect }) => {
    if (effect && effect !== taint.effect) return false;
    if (operator === "Exists") return !key || key === taint.key;
    return key === taint.key && (value ?? "") === (taint.value ?? "");
  });
}

/**
 * Returns what the scheduler reserves for a pod: the sum of its containers, or an init container with the sidecars that
 * start before it, whichever is larger.
 * https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
function requestsOf({ spec }: V1Pod): Requests {
  const request = (resource: string) => {
    const requestOf = ({ resources }: V1Container) => parseQuantity(resources?.requests?.[resource]);
    let sidecars = 0;
    let largestInit = 0;
    for (const container of spec?.initContainers ?? []) {
      if (container.restartPolicy === "Always") sidecars += requestOf(container);
      else largestInit = Math.max(largestInit, sidecars + requestOf(container));
    }
    const running = sidecars + sum((spec?.containers ?? []).map(requestOf));
    return Math.max(running, largestInit) + parseQuantity(spec?.overhead?.[resource]);
  };
  return { cpu: request("cpu"), memory: request("memory") };
}
