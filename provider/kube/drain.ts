import type { V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { setTimeout as sleep } from "node:timers/promises";
import { optional } from "../../common/optional";
import { DRAIN_DEFAULTS, type DrainSettings } from "../../contracts/drain";
import type { KubeApi } from "./api";
import { listBudgets } from "./budgets";
import { isCordoned, isReady, readNode, requireNode, restoreSchedulable, setSchedulable } from "./cordon";
import { evacuateDeadNode, type ForcedRemoval } from "./dead-node";
import { rejectRiskyPods, type DrainOptions } from "./drain-options";
import { deadlineError, describeProgress } from "./drain-report";
import { DrainScope, listWorkloadPods } from "./drain-scope";
import { evictPod } from "./eviction";
import { EvictionBatches } from "./eviction-batches";
import { isTerminating, podName } from "./pods";
import { listAttachedVolumes } from "./volumes";

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
  scope: DrainScope;
  batches: EvictionBatches;
  evicted: string[];
  deadline: number;
  machineCheckedAt: number;
  refusals: string[];
  remaining: V1Pod[];
  volumes: string[];
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
  const { evictable } = await new DrainScope(node, options.podSelector).list(api, signal);
  rejectRiskyPods(node, evictable, options);
  try {
    if (!wasCordoned) await setSchedulable(api, node, false, signal);
    const state = startDrain(api, options);
    const forced = await evictAll(state);
    return { evicted: state.evicted, wasCordoned, ...optional({ forced }) };
  } catch (error) {
    if (!wasCordoned && !options.stayCordoned) await restoreSchedulable(api, node).catch(() => undefined);
    throw error;
  }
}

function startDrain(api: KubeApi, options: DrainOptions & DrainSettings): DrainState {
  return {
    api,
    options,
    scope: new DrainScope(options.node, options.podSelector),
    batches: new EvictionBatches(options.patience ?? REPLACEMENT_SECONDS),
    evicted: [],
    deadline: Date.now() + options.timeout * 1000 * api.patience,
    machineCheckedAt: 0,
    refusals: [],
    remaining: [],
    volumes: [],
  };
}

/** Evicts in rounds until no evictable pod remains. @returns what was deleted by force when the machine is gone */
async function evictAll(state: DrainState): Promise<ForcedRemoval | undefined> {
  const { api, options, scope } = state;
  const { node, signal, status } = options;
  for (;;) {
    signal.throwIfAborted();
    const { evictable, staying } = await scope.list(api, signal);
    state.remaining = evictable;
    if (await isMachineGone(state)) return await evacuateDeadNode(api, node, signal, status);
    if (evictable.length > 0) await evictBatch(state);
    else if (await areVolumesDetached(state, staying)) return undefined;
    status(describeProgress(node, state));
    if (Date.now() > state.deadline) throw deadlineError(options, state);
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function evictBatch(state: DrainState): Promise<void> {
  const { api, options, batches, remaining } = state;
  const running = remaining.filter((pod) => !isTerminating(pod));
  if (running.length === 0) return void (state.refusals = []);
  rejectRiskyPods(options.node, running, options); // A pod may have been scheduled just before the cordon.
  const [all, budgets] = await Promise.all([
    listWorkloadPods(api, running, options.signal),
    listBudgets(api, options.signal),
  ]);
  const batch = batches.next(running, all, Date.now());
  const refusals = await Promise.all(batch.map((pod) => evictOne(state, pod, budgets)));
  state.refusals = refusals.filter((reason) => reason !== undefined);
}

/** Evicts a pod. @returns the reason when the API server refuses */
async function evictOne(
  { api, batches, evicted, options }: DrainState,
  pod: V1Pod,
  budgets: readonly V1PodDisruptionBudget[],
): Promise<string | undefined> {
  const outcome = await evictPod(api, pod, { budgets, gracePeriod: options.gracePeriod });
  if (outcome.kind === "refused") return outcome.reason;
  if (outcome.kind === "evicted") evicted.push(podName(pod));
  batches.recordEviction(pod, Date.now());
  return undefined;
}

/** Another node can mount a volume only once it is detached. A forced drain does not wait. */
async function areVolumesDetached(state: DrainState, staying: readonly V1Pod[]): Promise<boolean> {
  const { api, options } = state;
  if (options.force) return true;
  state.refusals = [];
  state.volumes = await listAttachedVolumes(api, options.node, staying, options.signal);
  return state.volumes.length === 0;
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
  const machine = await isGone(state.deadline);
  state.machineCheckedAt = Date.now();
  state.down = `the kubelet does not respond; ${machine.reason}`;
  return machine.gone;
}
