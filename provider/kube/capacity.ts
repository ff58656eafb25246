import type { V1Container, V1Node, V1Pod, V1Taint } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { isCordoned, isReady } from "./cordon";
import { isFinished, isEvictable, podName } from "./pods";
import { parseQuantity } from "./quantity";

interface FreeCapacity {
  node: V1Node;
  cpu: number;
  memory: number;
  pods: number;
}

export interface CapacityForecast {
  /** Pods for which no other node has room, each with the reason. */
  unschedulable: string[];
  /** What the other nodes that take pods have free before the drain. */
  free: { cpu: number; memoryMiB: number; pods: number };
}

/** Would the pods of `node` find a place elsewhere? The largest first, as a scheduler that packs well; affinities are not looked at. */
export function forecastCapacity(node: string, nodes: readonly V1Node[], pods: readonly V1Pod[]): CapacityForecast {
  const rooms = nodes
    .filter((other) => other.metadata?.name !== node && isReady(other) && !isCordoned(other))
    .map((other) => freeCapacityOf(other, pods));
  const sum = (pick: (room: FreeCapacity) => number) =>
    rooms.reduce((total, room) => total + Math.max(0, pick(room)), 0);
  const free = {
    cpu: sum(({ cpu }) => cpu),
    memoryMiB: Math.floor(sum(({ memory }) => memory) / 2 ** 20),
    pods: sum((room) => room.pods),
  };
  const moving = pods.filter((pod) => pod.spec?.nodeName === node && isEvictable(pod));
  const largestFirst = [...moving].sort(
    (a, b) => requestsOf(b).memory - requestsOf(a).memory || requestsOf(b).cpu - requestsOf(a).cpu,
  );
  return { unschedulable: largestFirst.flatMap((pod) => place(pod, rooms) ?? []), free };
}

function freeCapacityOf(node: V1Node, pods: readonly V1Pod[]): FreeCapacity {
  const there = pods.filter((pod) => pod.spec?.nodeName === node.metadata?.name && !isFinished(pod));
  const allocatable = node.status?.allocatable ?? {};
  const used = there.map(requestsOf);
  return {
    node,
    cpu: parseQuantity(allocatable.cpu) - used.reduce((total, { cpu }) => total + cpu, 0),
    memory: parseQuantity(allocatable.memory) - used.reduce((total, { memory }) => total + memory, 0),
    pods: parseQuantity(allocatable.pods) - there.length,
  };
}

/** Puts the pod into the first room that has space for it; @returns why there is none. */
function place(pod: V1Pod, rooms: readonly FreeCapacity[]): string | undefined {
  const need = requestsOf(pod);
  const willing = rooms.filter(({ node }) => accepts(node, pod));
  if (willing.length === 0) return `${podName(pod)}: no other node takes it (taints, nodeSelector, cordons)`;
  const room = willing.find(({ cpu, memory, pods }) => cpu >= need.cpu && memory >= need.memory && pods >= 1);
  if (!room) return `${podName(pod)}: ${shortageOf(need, willing)}`;
  room.cpu -= need.cpu;
  room.memory -= need.memory;
  room.pods -= 1;
  return undefined;
}

function shortageOf(need: { cpu: number; memory: number }, rooms: readonly FreeCapacity[]): string {
  if (rooms.every(({ pods }) => pods < 1)) return "every other node has as many pods as it may (maxPods)";
  if (rooms.every(({ memory }) => memory < need.memory))
    return `no other node has ${Math.ceil(need.memory / 2 ** 20)} MiB free`;
  if (rooms.every(({ cpu }) => cpu < need.cpu)) return `no other node has ${need.cpu} CPU free`;
  return "no other node has enough of everything free";
}

function accepts(node: V1Node, { spec }: V1Pod): boolean {
  const labels = node.metadata?.labels ?? {};
  const chosen = Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const barring = (node.spec?.taints ?? []).filter(({ effect }) => effect !== "PreferNoSchedule");
  return chosen && barring.every((taint) => tolerates(spec?.tolerations ?? [], taint));
}

function tolerates(tolerations: NonNullable<NonNullable<V1Pod["spec"]>["tolerations"]>, taint: V1Taint): boolean {
  return tolerations.some(({ key, operator, value, effect }) => {
    if (effect && effect !== taint.effect) return false;
    if (operator === "Exists") return !key || key === taint.key;
    return key === taint.key && (value ?? "") === (taint.value ?? "");
  });
}

/** What the scheduler reserves: all containers together, or the largest that runs before them. */
function requestsOf({ spec }: V1Pod): { cpu: number; memory: number } {
  const before = spec?.initContainers ?? [];
  const lasting = [...(spec?.containers ?? []), ...before.filter(({ restartPolicy }) => restartPolicy === "Always")];
  const of = (resource: string) => {
    const request = ({ resources }: V1Container) => parseQuantity(resources?.requests?.[resource]);
    const together = lasting.reduce((total, container) => total + request(container), 0);
    return Math.max(together, ...before.map(request)) + parseQuantity(spec?.overhead?.[resource]);
  };
  return { cpu: of("cpu"), memory: of("memory") };
}
