import type { V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { setTimeout as sleep } from "node:timers/promises";
import { StepError } from "../../common/errors";
import type { KubeApi } from "./api";
import { allBudgets } from "./budgets";
import { isCordoned, isReady, makeSchedulableAgain, readNode, setSchedulable, theNode } from "./cordon";
import { clearDeadNode, type Forced } from "./dead-node";
import { DRAIN_DEFAULTS, refuseRisky, type DrainOptions, type DrainRules } from "./drain-options";
import { evict } from "./eviction";
import { few, isEnding, isToMove, labelOf, podsOn } from "./pods";
import { patiently } from "./retry";
import { Waves } from "./eviction-batches";

const ROUND_MS = 500;
const PATIENCE_SECONDS = 60;
/** SSH to a dead machine takes seconds to fail: not in each round. */
const PROOF_EVERY_MS = 5_000;

export interface Drained {
  /** `shop/cart-7d4`, in the order in which they went. */
  evicted: string[];
  /** What was forced off because the node was dead. */
  forced?: Forced;
  wasCordoned: boolean;
}

interface Run {
  api: KubeApi;
  options: DrainOptions & DrainRules;
  waves: Waves;
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
export async function drain(api: KubeApi, given: DrainOptions): Promise<Drained> {
  const options = { ...DRAIN_DEFAULTS, ...given };
  const { node, signal } = options;
  const wasCordoned = isCordoned(await theNode(api, node, signal));
  refuseRisky(node, await podsOn(api, node, signal), options);
  try {
    if (!wasCordoned) await setSchedulable(api, node, false, signal);
    const run: Run = {
      api,
      options,
      evicted: [],
      held: [],
      left: [],
      waves: new Waves(options.patience ?? PATIENCE_SECONDS),
      deadline: Date.now() + options.timeout * 1000,
      askedAt: 0,
    };
    const forced = await empty(run);
    return { evicted: run.evicted, wasCordoned, ...(forced ? { forced } : {}) };
  } catch (error) {
    if (!wasCordoned && !options.stayCordoned) await makeSchedulableAgain(api, node).catch(() => undefined);
    throw error;
  }
}

/** Rounds, until nothing that is to move is left. */
async function empty(run: Run): Promise<Forced | undefined> {
  const { api, options } = run;
  const { node, signal, status } = options;
  for (;;) {
    signal.throwIfAborted();
    run.left = (await podsOn(api, node, signal)).filter(isToMove);
    if (await isDead(run)) return await clearDeadNode(api, node, signal, status);
    if (run.left.length === 0) return undefined;
    refuseRisky(
      node,
      run.left.filter((pod) => !isEnding(pod)),
      options,
    ); // one that came between the look and the cordon
    await round(run);
    status(progressOf(run));
    if (Date.now() > run.deadline) throw late(run);
    await sleep(ROUND_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function round(run: Run): Promise<void> {
  const { api, options, waves, left } = run;
  const [all, budgets] = await Promise.all([allPods(api, options.signal), allBudgets(api, options.signal)]);
  const results = await Promise.all(waves.next(left, all, Date.now()).map((pod) => move(run, pod, budgets)));
  run.held = results.filter((why) => why !== undefined);
}

async function allPods(api: KubeApi, signal: AbortSignal): Promise<V1Pod[]> {
  return (await patiently("listing pods", signal, () => api.core.listPodForAllNamespaces())).items;
}

/** @returns what holds it back. */
async function move(
  { api, waves, evicted }: Run,
  pod: V1Pod,
  budgets: readonly V1PodDisruptionBudget[],
): Promise<string | undefined> {
  const outcome = await evict(api, pod, budgets);
  if (outcome.kind === "refused") return outcome.why;
  if (outcome.kind === "evicted") evicted.push(labelOf(pod));
  waves.left(pod, Date.now());
  return undefined;
}

/** A node that is not Ready ends no pod. May they be forced off? */
async function isDead(run: Run): Promise<boolean> {
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
  run.dead = `its kubelet is silent; ${proof.why}`;
  return proof.gone;
}

function progressOf({ options, left, held, dead }: Run): string {
  const ending = left.filter(isEnding).length;
  const words = [
    `${left.length} pods left`,
    ...(ending > 0 ? [`${ending} ending`] : []),
    ...(dead ? [dead] : []),
    ...(held[0] ? [held[0]] : []),
  ];
  return `draining ${options.node}: ${words.join("; ")}`;
}

function late({ options, left, held, dead }: Run): StepError {
  const { node, timeout, stayCordoned } = options;
  const ending = left.filter(isEnding).map(labelOf);
  const waiting = left.filter((pod) => !isEnding(pod)).map(labelOf);
  const causes = [
    ...(dead ? [dead] : []),
    ...held,
    ...(ending.length > 0 ? [`${few(ending)} did not end`] : []),
    ...(held.length === 0 && waiting.length > 0
      ? [`${few(waiting)} waited for replacements of their workload to be Ready`]
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
