import semver from "semver";
import { isSameMinor } from "../../render/version-skew";
import type { ConfigChange } from "../engine/stack-config";
import type { PlannedPool } from "./planned-pools";
import { HOLD, heldNodePath, holdPool } from "./upgrade-hold";
import { CANARY, CANARY_AFTER, EMULATE } from "./upgrade-pause";
import { ADDITIONAL, type PlannedSurge } from "./upgrade-surge";

/** Path of the record of an upgrade in the configuration. */
export const UPGRADING = "kubernetes.upgrading";

/** One update of the cluster. The configuration records it, so any later run continues an interrupted one. */
export interface UpgradeStage {
  title: string;
  /** Paths that are removed from the configuration for the update. */
  remove: readonly string[];
  /** Values that are then set. */
  set: ConfigChange;
}

export interface StageFacts {
  /** Versions through which the cluster goes. */
  chain: readonly string[];
  pools: readonly PlannedPool[];
  /** Configuration besides the version: the pause, the soak, the emulation. */
  change: ConfigChange;
  /** Canaries that the user has configured. They are recorded while the upgrade has others, and return at its end. */
  canaries: readonly string[];
  /**
   * Paths of a pause that the upgrade ends. They are removed with its first change, so that they stay if it is refused.
   * @default none
   */
  ended?: readonly string[];
  /** Whether a pause stays, with its canaries. @default false */
  keepsPause?: boolean;
}

const VERSION = "kubernetes.version";

interface SurgedPool extends PlannedSurge {
  name: string;
  /** Configuration that keeps the pool's nodes on their versions until its additional machines have joined. */
  holds: ConfigChange;
  /** Whether the upgrade pauses within the pool, so that the additional machines stay. */
  isPaused: boolean;
}

/**
 * Returns the updates of an upgrade, in order. Without additional machines that is one for each version. With them, the
 * pools that have some wait for three more: the control planes and the other pools change, then the additional machines
 * join, then the pool changes, and at the end the additional machines leave.
 */
export function upgradeStages({ ended = [], ...facts }: StageFacts): UpgradeStage[] {
  const pools = surgedPools(facts);
  // The canaries of the user would change although their pool waits.
  const [first, ...others] = stagesOf(pools, isPaused(facts) ? { ...facts, canaries: [] } : facts);
  if (first === undefined) return [];
  const hasOwnCanaries = isPaused(facts) || (pools.length > 0 && others.length > 0);
  const canaries = {
    ...(hasOwnCanaries && facts.keepsPause !== true ? canaryPaths(facts.canaries, CANARY_AFTER) : {}),
    ...(pools.length === 0 && !isPaused(facts) && ended.includes(CANARY) ? canaryPaths(facts.canaries) : {}),
  };
  return [{ ...first, remove: [...ended, ...first.remove], set: { ...first.set, ...canaries } }, ...others];
}

/** Whether the upgrade pauses after a stage. */
function isPaused({ change }: StageFacts): boolean {
  return Object.keys(change).some((path) => path.startsWith(HOLD) || path.startsWith(CANARY));
}

function stagesOf(pools: readonly SurgedPool[], facts: StageFacts): UpgradeStage[] {
  const { chain, change } = facts;
  if (pools.length === 0) return chain.map((version) => stage(version, [], change));
  const [first] = chain;
  return [
    ...(first === undefined ? [] : joiningStages(first, pools, facts)),
    ...chain.map((version) => changingStage(version, pools, facts)),
    ...leavingStages(pools, facts),
  ];
}

function stage(version: string, remove: readonly string[], set: ConfigChange, title = ""): UpgradeStage {
  return { title: title || `Changing to ${version}`, remove, set: { [VERSION]: version, ...set } };
}

/** Pools that change in this upgrade and have additional machines. */
function surgedPools({ pools, change, chain }: StageFacts): SurgedPool[] {
  const paused = canariesOf(change);
  return pools.flatMap((pool) => {
    const { name, surge } = pool;
    if (!surge) return [];
    const isHeld = `${HOLD}.${name}` in change;
    if (isHeld && !surge.nodes.some((node) => paused.includes(node))) return [];
    const holds = holdPool(pool, chain[0] ?? "", [...surge.done, ...surge.machines]);
    return [{ ...surge, name, holds, isPaused: isHeld }];
  });
}

/** New machines join in a run that changes no other node of their pool, because its checks wait for all machines. */
function joiningStages(version: string, pools: readonly SurgedPool[], facts: StageFacts): UpgradeStage[] {
  const joining = pools.filter(({ areJoined }) => !areJoined);
  if (joining.length === 0) return [];
  const held = { ...without(facts.change, CANARY), ...holdsOf(joining) };
  const nodes = pools.flatMap((pool) => pool.nodes);
  const others = canariesBefore(pools, facts).filter((name) => !nodes.includes(name));
  const done = [...others, ...pools.flatMap((pool) => pool.done)];
  const machines = pools.flatMap((pool) => pool.machines);
  const counts = Object.fromEntries(joining.map((pool) => [`${ADDITIONAL}.${pool.name}`, pool.machines.length]));
  const waiting = joining.map(({ name }) => name).join(", ");
  const join = { ...held, ...counts, ...canaryPaths([...done, ...machines]) };
  return [
    ...(joining.some(({ isRecorded }) => !isRecorded)
      ? [stage(version, [CANARY], { ...held, ...canaryPaths(done) }, `Changing to ${version}, without pool ${waiting}`)]
      : []),
    stage(version, [CANARY], join, `Joining ${joining.flatMap((pool) => pool.machines).join(", ")}`),
  ];
}

function holdsOf(pools: readonly SurgedPool[]): ConfigChange {
  return Object.assign({}, ...pools.map(({ holds }) => holds)) as ConfigChange;
}

/** The additional machines stay canaries, so that the others wait for them, and the soak of the pool is theirs. */
function changingStage(version: string, pools: readonly SurgedPool[], facts: StageFacts): UpgradeStage {
  const paused = canariesOf(facts.change);
  const others = paused.length > 0 ? paused : canariesBefore(pools, facts);
  const canaries = [...pools.flatMap(({ machines }) => machines), ...others];
  const set = { ...without(facts.change, CANARY), ...canaryPaths(canaries) };
  return stage(version, [CANARY, ...Object.keys(holdsOf(pools))], set);
}

function leavingStages(pools: readonly SurgedPool[], facts: StageFacts): UpgradeStage[] {
  const leaving = pools.filter(({ isPaused }) => !isPaused);
  if (leaving.length === 0) return [];
  const staying = pools.filter(({ isPaused }) => isPaused).flatMap(({ machines }) => machines);
  const paused = canariesOf(facts.change);
  const canaries = paused.length > 0 ? [...staying, ...paused] : canariesBefore(pools, facts);
  const recorded = isPaused(facts) || facts.keepsPause === true ? [] : [CANARY_AFTER];
  return [
    {
      title: `Removing ${leaving.flatMap(({ machines }) => machines).join(", ")}`,
      remove: [CANARY, ...recorded, ...leaving.map(({ name }) => `${ADDITIONAL}.${name}`)],
      set: canaryPaths(canaries),
    },
  ];
}

/** Canaries that were configured before the upgrade. An interrupted one has added its additional machines to them. */
function canariesBefore(pools: readonly SurgedPool[], { canaries }: StageFacts): string[] {
  const additional = pools.flatMap(({ machines }) => machines);
  return canaries.filter((name) => !additional.includes(name));
}

/** Canaries of a pause. */
function canariesOf(change: ConfigChange): string[] {
  return Object.entries(change).flatMap(([path, value]) => (path.startsWith(`${CANARY}[`) ? [String(value)] : []));
}

/** Returns the configuration that sets a list of canaries, without duplicates. @param path of the list */
export function canaryPaths(names: readonly string[], path = CANARY): ConfigChange {
  return Object.fromEntries([...new Set(names)].map((name, index) => [`${path}[${index}]`, name]));
}

function without(change: ConfigChange, path: string): ConfigChange {
  return Object.fromEntries(Object.entries(change).filter(([key]) => !key.startsWith(path)));
}

/**
 * Returns the updates that undo an upgrade of the control planes: additional machines, whose kubelets are newer, leave
 * first, while all pools stay on their version. A pause of an earlier upgrade stays.
 */
export function undoStages(facts: UndoStageFacts): UpgradeStage[] {
  const { to, additional, holds, hold = {} } = facts;
  const remove = [CANARY, ADDITIONAL, ...additional.map(heldNodePath)];
  const leaves = { title: `Removing ${additional.join(", ")}`, remove, set: holds };
  // Without it, these nodes would be drained in the same run, and get the version of the control planes.
  const keepsPause = Object.values(hold).some((version) => semver.lt(version, to) && !isSameMinor(version, to));
  const change = keepsPause ? keptPause(facts) : endedPause(facts);
  const returns = {
    title: `Changing to ${to}`,
    remove: [...change.remove, EMULATE],
    set: { [VERSION]: to, ...change.set },
  };
  return additional.length > 0 ? [leaves, returns] : [returns];
}

type Change = Pick<UpgradeStage, "remove" | "set">;

function keptPause({ to, additional, holds, canary = [], isRecorded }: UndoStageFacts): Change {
  // The additional machines left without canaries, which would have changed.
  const canaries = additional.length === 0 ? [] : canary.filter((name) => !additional.includes(name));
  const target = isRecorded ? { [`${UPGRADING}.to`]: to } : {};
  return { remove: Object.keys(holds), set: { ...target, ...canaryPaths(canaries) } };
}

function endedPause({ canaries = [], isRecorded }: UndoStageFacts): Change {
  const record = isRecorded ? [UPGRADING, ADDITIONAL] : [];
  return { remove: [HOLD, CANARY, CANARY_AFTER, ...record], set: canaryPaths(canaries) };
}

export interface UndoStageFacts {
  to: string;
  /** Names of the additional machines that leave. */
  additional: readonly string[];
  /** Configuration that keeps the pools on their version. */
  holds: ConfigChange;
  /** Canaries that the user has configured. @default none */
  canaries?: readonly string[];
  /** Canaries in the configuration, those of a pause too. @default none */
  canary?: readonly string[];
  /** Versions on which pools and workers stay in the configuration, by name. @default none */
  hold?: Readonly<Record<string, string>>;
  /** Whether the configuration records the upgrade. @default false */
  isRecorded?: boolean;
}
