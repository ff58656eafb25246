import type { V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { setTimeout as sleep } from "node:timers/promises";
import { StepError } from "../../common/errors";
import type { KubeApi } from "./api";
import { listBudgets } from "./budgets";
import { isCordoned, isReady, restoreSchedulable, readNode, setSchedulable, requireNode } from "./cordon";
import { evacuateDeadNode, type ForcedRemoval } from "./dead-node";
import { DRAIN_DEFAULTS, type DrainSettings } from "../../contracts/drain";
import { rejectRiskyPods, type DrainOptions } from "./drain-options";
import { evictPod } from "./eviction";
import { summarizeNames, isTerminating, isEvictable, podName, listPodsOnNode } from "./pods";
import { retryRequest } from "./retry";
import { EvictionBatches } from "./eviction-batches";

const ROUND_MS = 500;
const PATIENCE_SECONDS = 60;
/** SSH to a dead machine takes seconds to fail: not in each round. */
const PROOF_EVERY_MS = 5_000;

export interface DrainResult {
  /** `shop/cart-7d4`, in the order in which they went. */
  evicted: string[];
  /** What was forced off because the node was dead. */
  forced?: ForcedRemoval;
  wasCordoned: boolean;
}

interface DrainState {
  api: KubeApi;
  options: DrainOptions & DrainSettings;
  waves: EvictionBatches;
  evicted: string[];
  deadline: number;
  askedAt: number;
  /** What was seen last: the words for the deadline. */
  held: string[];
  left: V1Pod[];
  dead?: string;
}

/**
 * Cordons and evicts through the eviction API, so that PodDisruptionBudgets and grace periods are kept, and of each workload one pod at
 * a time, so that its Service goes on. When it fails, is late or is told to stop, the node is as it was before: cordoned only if it was.
 * https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
 */
export async function drain(api: KubeApi, given: DrainOptions): Promise<DrainResult> {
  const options = { ...DRAIN_DEFAULTS, ...given };
  const { node, signal } = options;
  const wasCordoned = isCordoned(await requireNode(api, node, signal));
  rejectRiskyPods(node, await listPodsOnNode(api, node, signal), options);
  try {
    if (!wasCordoned) await setSchedulable(api, node, false, signal);
    const run: DrainState = {
      api,
      options,
      evicted: [],
      held: [],
      left: [],
      waves: new EvictionBatches(options.patience ?? PATIENCE_SECONDS),
      deadline: Date.now() + options.timeout * 1000,
      askedAt: 0,
    };
    const forced = await evictAll(run);
    return { evicted: run.evicted, wasCordoned, ...(forced ? { forced } : {}) };
  } catch (error) {
    if (!wasCordoned && !options.stayCordoned) await restoreSchedulable(api, node).catch(() => undefined);
    throw error;
  }
}

/** Rounds, until nothing that is to move is left. */
async function evictAll(run: DrainState): Promise<ForcedRemoval | undefined> {
  const { api, options } = run;
  const { node, signal, status } = options;
  for (;;) {
    signal.throwIfAborted();
    run.left = (await listPodsOnNode(api, node, signal)).filter(isEvictable);
    if (await isMachineGone(run)) return await evacuateDeadNode(api, node, signal, status);
    if (run.left.length === 0) return undefined;
    rejectRiskyPods(
      node,
      run.left.filter((pod) => !isTerminating(pod)),
      options,
    ); // one that came between the look and the cordon
    await evictBatch(run);
    status(describeProgress(run));
    if (Date.now() > run.deadline) throw deadlineError(run);
    await sleep(ROUND_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function evictBatch(run: DrainState): Promise<void> {
  const { api, options, waves, left } = run;
  const [all, budgets] = await Promise.all([listAllPods(api, options.signal), listBudgets(api, options.signal)]);
  const results = await Promise.all(waves.next(left, all, Date.now()).map((pod) => evictOne(run, pod, budgets)));
  run.held = results.filter((why) => why !== undefined);
}

async function listAllPods(api: KubeApi, signal: AbortSignal): Promise<V1Pod[]> {
  return (await retryRequest("listing pods", signal, () => api.core.listPodForAllNamespaces())).items;
}

/** @returns what holds it back. */
async function evictOne(
  { api, waves, evicted }: DrainState,
  pod: V1Pod,
  budgets: readonly V1PodDisruptionBudget[],
): Promise<string | undefined> {
  const outcome = await evictPod(api, pod, budgets);
  if (outcome.kind === "refused") return outcome.why;
  if (outcome.kind === "evicted") evicted.push(podName(pod));
  waves.left(pod, Date.now());
  return undefined;
}

/** A node that is not Ready ends no pod. May they be forced off? */
async function isMachineGone(run: DrainState): Promise<boolean> {
  const { node, signal, force, onUnreachable, isGone } = run.options;
  const live = await readNode(run.api, node, signal);
  if (!live || isReady(live)) {
    delete run.dead;
    return false;
  }
  run.dead ??= "its kubelet is silent";
  if (force || onUnreachable === "force") return true;
  if (onUnreachable === "fail" || !isGone || Date.now() - run.askedAt < PROOF_EVERY_MS) return false;
  const proof = await isGone();
  run.askedAt = Date.now();
  run.dead = `its kubelet is silent; ${proof.reason}`;
  return proof.gone;
}

function describeProgress({ options, left, held, dead }: DrainState): string {
  const ending = left.filter(isTerminating).length;
  const words = [
    `${left.length} pods left`,
    ...(ending > 0 ? [`${ending} ending`] : []),
    ...(dead ? [dead] : []),
    ...(held[0] ? [held[0]] : []),
  ];
  return `draining ${options.node}: ${words.join("; ")}`;
}

function deadlineError({ options, left, held, dead }: DrainState): StepError {
  const { node, timeout, stayCordoned } = options;
  const ending = left.filter(isTerminating).map(podName);
  const waiting = left.filter((pod) => !isTerminating(pod)).map(podName);
  const causes = [
    ...(dead ? [dead] : []),
    ...held,
    ...(ending.length > 0 ? [`${summarizeNames(ending)} did not end`] : []),
    ...(held.length === 0 && waiting.length > 0
      ? [`${summarizeNames(waiting)} waited for replacements of their workload to be Ready`]
      : []),
  ];
  const advice = dead
    ? "say that its pods may be forced off with drain.onUnreachable: force"
    : held.length > 0
      ? "scale up what the budget protects, or change the budget"
      : "give the drain more time";
  return new StepError({
    step: "drain",
    machine: node,
    cause: `after ${timeout} s: ${causes.join("; ")}`,
    action: `${stayCordoned ? "the node stays cordoned" : "the node is as schedulable as before"}; ${advice}`,
  });
}
