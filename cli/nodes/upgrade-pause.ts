import { StepError } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import type { ClusterConfig } from "../../components/config";
import type { ConfigChange } from "../engine/stack-config";
import { describeHolds, holdPool } from "./upgrade-hold";
import type { UpgradePlan } from "./upgrade-plan";

/** Stage of an upgrade after which it can pause, besides the names of pools and workers. */
export const CONTROL_PLANES = "control-planes";
/** Path of the nodes that are upgraded although their pool is held. */
export const CANARY = "kubernetes.canary";
/** Path of the user's canaries while an upgrade has others. */
export const CANARY_AFTER = "kubernetes.canaryAfter";
/** Path of the version that the control planes emulate. */
export const EMULATE = "controlPlane.emulate";
/** Path of the seconds for which the cluster must stay healthy. */
export const SOAK = "kubernetes.soak";
const STEP = "pausing the upgrade";

export interface PausablePool {
  name: string;
  /** The pool's own version, which a pause does not change. */
  version?: string | undefined;
  /** Names of the pool's machines in order. */
  machines: readonly string[];
}

/** Pools that keep their version, and the nodes of them that are upgraded all the same. */
interface Pause {
  held: readonly PausablePool[];
  canaries: readonly string[];
}

/**
 * Returns the configuration that lets an upgrade stop after a stage: the pools after it stay on their version.
 * @param stage `control-planes`, a pool, or a worker, which is the last one of its pool that is upgraded
 * @throws StepError if there is no such stage, no node would wait after it, or the upgrade has several steps
 */
export function pauseAfter(
  stage: string,
  plan: Pick<UpgradePlan, "chain" | "from" | "pools">,
  pools: readonly PausablePool[],
): ConfigChange {
  const pause = pauseAt(stage, pools);
  if (!pause)
    throw new StepError({
      step: STEP,
      cause: `there is no stage named ${stage}`,
      action: `use ${[CONTROL_PLANES, ...pools.map(({ name }) => name)].join(" or ")} or the name of a worker`,
    });
  const change = changeOf(pause, plan, ["--pause-after", stage]);
  assertWaiting(stage, pause);
  return change;
}

/**
 * Without a node that waits, the upgrade would not pause. A pause after the control planes also holds a pool without
 * machines: workers that are added to it get the version before. @throws StepError
 */
function assertWaiting(stage: string, { held, canaries }: Pause): void {
  const waiting = held.filter(({ version }) => version === undefined);
  const hasNodes = waiting.some(({ machines }) => machines.some((machine) => !canaries.includes(machine)));
  if (hasNodes || (stage === CONTROL_PLANES && waiting.length > 0)) return;
  const earlier = stage === CONTROL_PLANES ? "" : `, or use an earlier stage, such as ${CONTROL_PLANES}`;
  throw new StepError({
    step: STEP,
    cause: `no node that changes is left after ${stage}, so nothing would wait`,
    action: `leave out --pause-after${earlier}`,
  });
}

/** Returns the configuration that upgrades the control planes and one worker only. @throws StepError */
export function pauseAfterCanary(
  node: string,
  plan: Pick<UpgradePlan, "chain" | "from" | "pools">,
  pools: readonly PausablePool[],
): ConfigChange {
  const workers = pools.flatMap(({ machines }) => machines);
  if (!workers.includes(node)) {
    const action = `use ${workers.join(" or ")}`;
    throw new StepError({ step: STEP, cause: `there is no worker named ${node}`, action });
  }
  return changeOf({ held: pools, canaries: [node] }, plan, ["--canary", node]);
}

function pauseAt(stage: string, pools: readonly PausablePool[]): Pause | undefined {
  const index = [CONTROL_PLANES, ...pools.map(({ name }) => name)].indexOf(stage);
  if (index >= 0) return { held: pools.slice(index), canaries: [] };
  const ofNode = pools.findIndex(({ machines }) => machines.includes(stage));
  const { machines = [] } = pools[ofNode] ?? {};
  return ofNode < 0
    ? undefined
    : { held: pools.slice(ofNode), canaries: machines.slice(0, machines.indexOf(stage) + 1) };
}

function changeOf(
  { held, canaries }: Pause,
  { chain, from, pools }: Pick<UpgradePlan, "chain" | "from" | "pools">,
  option: readonly string[],
): ConfigChange {
  if (chain.length > 1) {
    const action = `run \`${userCommand("upgrade", "--to", chain[0] ?? "", ...option)}\` first`;
    const cause = `the upgrade has ${chain.length} steps, and a pause needs one`;
    throw new StepError({ step: STEP, cause, action });
  }
  assertSameVersion(held, canaries);
  // After a failed run, the control planes have the new version already.
  const holding = held
    .filter(({ version }) => version === undefined)
    .map(({ name }) => holdPool(pools.find((pool) => pool.name === name) ?? { name }, from, canaries));
  const nodes = canaries.map((node, index) => [`${CANARY}[${index}]`, node]);
  return Object.assign({}, ...holding, Object.fromEntries(nodes)) as ConfigChange;
}

/** Such a worker would get the cluster's version, and its pool's again with --resume: a downgrade. @throws StepError */
function assertSameVersion(pools: readonly PausablePool[], canaries: readonly string[]): void {
  for (const { name, version, machines } of pools) {
    const canary = machines.find((machine) => canaries.includes(machine));
    if (version === undefined || canary === undefined) continue;
    const cause = `${canary} is in pool ${name}, which stays on ${version}`;
    throw new StepError({
      step: STEP,
      cause,
      action: "use a worker of another pool, or remove the version of the pool",
    });
  }
}

/**
 * Returns the canaries that the user has configured. While an upgrade is under way, the others are its own: those of a
 * pause, and additional machines.
 */
export function ownCanaries({
  canary,
  canaryAfter,
  hold,
  additional,
}: Pick<ClusterConfig["kubernetes"], "canary" | "canaryAfter" | "hold" | "additional">): readonly string[] {
  if (canaryAfter.length > 0) return canaryAfter;
  return Object.keys({ ...hold, ...additional }).length > 0 ? [] : canary;
}

/**
 * Describes a paused upgrade; undefined if none is paused.
 * @param pools names of all pools: the other names in `hold` are those of workers
 */
export function describePause(hold: Readonly<Record<string, string>>, pools: readonly string[]): string | undefined {
  const held = describeHolds(Object.entries(hold), pools);
  if (held.length === 0) return undefined;
  return `the upgrade is paused: ${held.join(", ")}; continue with \`${userCommand("upgrade", "--resume")}\``;
}
