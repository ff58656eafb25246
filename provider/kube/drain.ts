import type { V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { setTimeout as sleep } from "node:timers/promises";
import { DRAIN_DEFAULTS, type DrainSettings } from "../../contracts/drain";
import type { KubeApi } from "./api";
import { listBudgets } from "./budgets";
import { isCordoned, isReady, readNode, requireNode, restoreSchedulable, setSchedulable } from "./cordon";
import { evacuateDeadNode, type ForcedRemoval } from "./dead-node";
import { rejectRiskyPods, type DrainOptions } from "./drain-options";
import { deadlineError, describeProgress } from "./drain-report";
import { evictPod } from "./eviction";
import { EvictionBatches } from "./eviction-batches";
import { isEvictable, isTerminating, listPodsOnNode, podName } from "./pods";
import { retryRequest } from "./retry";

const POLL_MS = 500;
const REPLACEMENT_SECONDS = 60;
/** A check of a dead machine takes seconds to fail, so it does not run in every round. */
const MACHINE_CHECK_MS = 5_000;

export interface DrainResult {
  /** Evicted pods as `namespace/name`, in order. */
  evicted: string[];
  /** What was deleted without the kubelet, because the machine is gone. */
  forced?: ForcedRemoval;
  wasCordoned: boolean;
}

interface DrainState {
  api: KubeApi;
  options: DrainOptions & DrainSettings;
  batches: EvictionBatches;
  evicted: string[];
  deadline: number;
  machineCheckedAt: number;
  refusals: string[];
  remaining: V1Pod[];
  down?: string;
}

/**
 * Cordons a node and evicts its pods through the eviction API, which respects PodDisruptionBudgets and grace periods.
 * Of each workload one pod is evicted at a time (see `EvictionBatches`). A drain that fails, times out or is aborted
 * uncordons the node, unless it was cordoned before.
 * https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
 * @throws StepError when pods may not be deleted, or at the deadline
 */
export async function drain(api: KubeApi, settings: DrainOptions): Promise<DrainResult> {
  const options = { ...DRAIN_DEFAULTS, ...settings };
  const { node, signal } = options;
  const wasCordoned = isCordoned(await requireNode(api, node, signal));
  rejectRiskyPods(node, await listPodsOnNode(api, node, signal), options);
  try {
    if (!wasCordoned) await setSchedulable(api, node, false, signal);
    const state = startDrain(api, options);
    const forced = await evictAll(state);
    return { evicted: state.evicted, wasCordoned, ...(forced ? { forced } : {}) };
  } catch (error) {
    if (!wasCordoned && !options.stayCordoned) await restoreSchedulable(api, node).catch(() => undefined);
    throw error;
  }
}

function startDrain(api: KubeApi, options: DrainOptions & DrainSettings): DrainState {
  return {
    api,
    options,
    batches: new EvictionBatches(options.patience ?? REPLACEMENT_SECONDS),
    evicted: [],
    deadline: Date.now() + options.timeout * 1000,
    machineCheckedAt: 0,
    refusals: [],
    remaining: [],
  };
}

/** Evicts in rounds until no evictable pod remains. @returns what was deleted by force when the machine is gone */
async function evictAll(state: DrainState): Promise<ForcedRemoval | undefined> {
  const { api, options } = state;
  const { node, signal, status } = options;
  for (;;) {
    signal.throwIfAborted();
    state.remaining = (await listPodsOnNode(api, node, signal)).filter(isEvictable);
    if (await isMachineGone(state)) return await evacuateDeadNode(api, node, signal, status);
    if (state.remaining.length === 0) return undefined;
    const running = state.remaining.filter((pod) => !isTerminating(pod));
    rejectRiskyPods(node, running, options); // A pod may have been scheduled between the first check and the cordon.
    await evictBatch(state);
    status(describeProgress(node, state));
    if (Date.now() > state.deadline) throw deadlineError(options, state);
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function evictBatch(state: DrainState): Promise<void> {
  const { api, options, batches, remaining } = state;
  const [all, budgets] = await Promise.all([listAllPods(api, options.signal), listBudgets(api, options.signal)]);
  const batch = batches.next(remaining, all, Date.now());
  const refusals = await Promise.all(batch.map((pod) => evictOne(state, pod, budgets)));
  state.refusals = refusals.filter((reason) => reason !== undefined);
}

async function listAllPods(api: KubeApi, signal: AbortSignal): Promise<V1Pod[]> {
  return (await retryRequest(api, "listing pods", signal, () => api.core.listPodForAllNamespaces())).items;
}

/** Evicts a pod. @returns the reason when the API server refuses */
async function evictOne(
  { api, batches, evicted }: DrainState,
  pod: V1Pod,
  budgets: readonly V1PodDisruptionBudget[],
): Promise<string | undefined> {
  const outcome = await evictPod(api, pod, budgets);
  if (outcome.kind === "refused") return outcome.reason;
  if (outcome.kind === "evicted") evicted.push(podName(pod));
  batches.recordEviction(pod, Date.now());
  return undefined;
}

/** Returns whether the pods may be deleted without the kubelet. A node that is not Ready terminates no pods. */
async function isMachineGone(state: DrainState): Promise<boolean> {
  const { node, signal, force, onUnreachable, isGone } = state.options;
  const live = await readNode(state.api, node, signal);
  if (!live || isReady(live)) {
    delete state.down;
    return false;
  }
  state.down ??= "the kubelet does not respond";
  if (force || onUnreachable === "force") return true;
  if (onUnreachable === "fail" || !isGone || Date.now() - state.machineCheckedAt < MACHINE_CHECK_MS) return false;
  const machine = await isGone();
  state.machineCheckedAt = Date.now();
  state.down = `the kubelet does not respond; ${machine.reason}`;
  return machine.gone;
}
