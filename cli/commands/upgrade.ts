import { StepError } from "../../common/errors";
import {
  type ClusterConfig,
  additionalNames,
  isUpgradeEnding,
  poolMachineNames,
  poolsOf,
} from "../../components/config";
import { type ConfigChange, readStackConfig } from "../engine/stack-config";
import { clusterApi, requireStack } from "../engine/cluster-api";
import { withSession, type Session } from "../engine/session";
import { prepareEngine } from "../engine/workspace";
import type { ClusterStatus } from "../nodes/cluster-status";
import { parseDuration } from "../nodes/log-script";
import { pausedPlan, pauseText } from "../nodes/paused-plan";
import { describeUndo } from "../nodes/undo-forecast";
import { readUpgradeStatus } from "../nodes/upgrade-facts";
import { HOLD, holdPool } from "../nodes/upgrade-hold";
import { splitNodes } from "../nodes/upgrade-nodes";
import {
  CANARY,
  CANARY_AFTER,
  EMULATE,
  SOAK,
  describePause,
  ownCanaries,
  pauseAfter,
  pauseAfterCanary,
} from "../nodes/upgrade-pause";
import { oldest } from "../nodes/planned-pools";
import { readApiServers, type UpgradePlan } from "../nodes/upgrade-plan";
import { upgradePlanText } from "../nodes/upgrade-plan-text";
import { type Cluster, ladderOf, readPlan } from "../nodes/upgrade-read";
import { currentRecord, withRecord } from "../nodes/upgrade-record";
import { type UpgradeStage, undoStages, upgradeStages } from "../nodes/upgrade-stages";
import { planUndo, undoPlanText } from "../nodes/upgrade-undo";
import { type Options, stackCommand } from "../terminal/options";
import { confirm } from "../terminal/prompt";
import { run as check } from "./check";
import { run as up } from "./up";

/** What was approved. */
interface Approved {
  stages: readonly UpgradeStage[];
  isPaused: boolean;
  /** Version that the last of them leads to. */
  to: string;
}

interface Outcome {
  approved?: Approved;
  /** Exit code where nothing was approved. */
  code: number;
}

/** `npm run upgrade`: prints the plan, and then runs `npm start` for each stage of the upgrade. */
export async function run(options: Options): Promise<number> {
  let outcome: Outcome = { code: 0 };
  const code = await withSession(options.stack, async (session) => {
    await prepareEngine(session.progress, session.signal);
    const stack = await requireStack(options.stack);
    const cluster = { stack, config: await readStackConfig(stack) };
    outcome = await (options.flags.has("undo") ? prepareUndo : prepareUpgrade)(options, session, cluster);
    return outcome.code;
  });
  return outcome.approved === undefined ? code : await runInSteps(options, outcome.approved);
}

async function prepareUpgrade(options: Options, session: Session, { stack, config }: Cluster): Promise<Outcome> {
  const { flags } = options;
  const isResumed = flags.has("resume");
  const request = { to: options.values.to, isResumed, canary: options.values.canary, soak: soakOf(options)[SOAK] };
  const { plan, facts, status, etcdPath } = await readPlan({ stack, config }, request, session);
  const pause = pauseOf(options, plan, config);
  const isPaused = Object.keys(pause).length > 0;
  const shown = isPaused ? pausedPlan({ ...facts, poolVersions: ownVersions(config) }, pause, plan.chain) : plan;
  session.screen.close();
  const paused = isPaused && plan.chain.length > 0 ? pauseText() : isResumed ? undefined : describeHold(config);
  const isEmulating = isEmulated(options, config, plan.to);
  const undo = describeUndo(shown, { isEmulating, isLadder: facts.ladder !== undefined, etcdPath });
  process.stdout.write(
    `\n${upgradePlanText(shown, { ...status, undo, etcdPath })}${paused === undefined ? "" : `\n${paused}\n`}`,
  );
  const change = { ...pause, ...soakOf(options), ...(flags.has("emulate") ? { [EMULATE]: "previous" } : {}) };
  if (plan.blocking.length > 0) return { code: 1 };
  if (flags.has("emulate") && !isPaused) assertEmulationHelps(config, isResumed, plan.to);
  const keepsPause = !isResumed && !isPaused && Object.keys(config.kubernetes.hold).length > 0;
  const canaries = keepsPause ? config.kubernetes.canary : ownCanaries(config.kubernetes);
  const isRecorded = config.kubernetes.upgrading !== undefined;
  const ended = [
    ...(isPaused ? [HOLD, CANARY] : isResumed || (isRecorded && !keepsPause) ? [HOLD, CANARY, CANARY_AFTER] : []),
    ...(isResumed ? [EMULATE] : []),
  ];
  const planned = upgradeStages({ ...plan, change, canaries, ended, keepsPause });
  // The record of an upgrade that has ended would lend its first version to the next one.
  const record = isUpgradeEnding(config) ? undefined : currentRecord(config.kubernetes);
  const before = record?.before ?? plan.from;
  const stages = withRecord(planned, { before, to: plan.to, isRecorded, isPaused, keepsPause });
  if (flags.has("plan") || stages.length === 0 || !(await isConfirmed(options, session))) return { code: 0 };
  return { approved: { stages, isPaused, to: plan.to }, code: 0 };
}

/** Whether the control planes emulate the version before from this upgrade on. */
function isEmulated({ flags }: Options, { controlPlane, kubernetes }: ClusterConfig, to: string): boolean {
  const isContinued = kubernetes.version === to && controlPlane.emulate !== undefined && !flags.has("resume");
  return flags.has("emulate") || isContinued;
}

/** An upgrade without a pause changes the workers too, and then cannot be undone. @throws StepError */
function assertEmulationHelps(config: ClusterConfig, isResumed: boolean, to: string): void {
  const pools = poolsOf(isResumed ? { ...config, kubernetes: { hold: {} } } : config);
  const moving = pools.filter((pool) => pool.version === undefined && poolMachineNames(config, pool).length > 0);
  if (moving.length === 0) return;
  const cause = `--emulate has no effect: the workers get ${to} in the same run, and are not downgraded`;
  throw new StepError({ step: "planning the upgrade", cause, action: "add --pause-after control-planes" });
}

/** Returns the configuration that pauses the upgrade; empty without a pause. */
function pauseOf({ values }: Options, plan: UpgradePlan, config: ClusterConfig): ConfigChange {
  const { canary, "pause-after": stage } = values;
  const pools = poolsOf({ ...config, kubernetes: { hold: {} } }).map((pool) => ({
    ...pool,
    machines: poolMachineNames(config, pool),
  }));
  if (stage !== undefined) return pauseAfter(stage, plan, pools);
  return canary === undefined ? {} : pauseAfterCanary(canary, plan, pools);
}

function soakOf({ values: { soak } }: Options): { [SOAK]?: number } {
  if (soak === undefined) return {};
  const seconds = parseDuration(soak);
  if (seconds !== undefined) return { [SOAK]: seconds };
  const action = "write for example --soak 90s or --soak 10m";
  throw new StepError({ step: "reading --soak", cause: `"${soak}" is not a duration`, action });
}

async function runInSteps(options: Options, approved: Approved): Promise<number> {
  const { stack, values } = options;
  const { stages, isPaused } = approved;
  const bare = { stack, values: {}, words: [] };
  for (const [index, { title, remove, set }] of stages.entries()) {
    process.stdout.write(`\n${title}\n`);
    const config = Object.fromEntries(Object.entries(set).map(([path, value]) => [path, String(value)]));
    const code = await up({ ...bare, flags: new Set(["yes"]), config, removed: remove });
    if (code === 0) continue;
    if (!isPaused && index < stages.length - 1) process.stderr.write(`\n${unfinishedText(options, approved)}\n`);
    return code;
  }
  if (!isPaused) return 0;
  const code = values.canary === undefined ? 0 : await check({ ...bare, flags: new Set(), config: {} });
  process.stdout.write(
    `\nPaused. Run \`${stackCommand("check", stack)}\`, then \`${stackCommand("upgrade", stack, "--resume")}\`.\n`,
  );
  return code;
}

/** The configuration has the version of the stage that failed, not the target of a chain. */
function unfinishedText({ stack, flags, values: { soak } }: Options, { stages, to }: Approved): string {
  if (flags.has("undo")) return `Continue with \`${stackCommand("upgrade", stack, "--undo", `--to ${to}`)}\`.`;
  const removed = stages.flatMap(({ remove }) => remove);
  const isResumed = flags.has("resume") || removed.some((path) => path.startsWith(`${HOLD}.`));
  const options = [
    ...(isResumed ? ["--resume"] : []),
    `--to ${to}`,
    ...(flags.has("emulate") ? ["--emulate"] : []), // otherwise --resume ends the emulation
    ...(soak === undefined ? [] : [`--soak ${soak}`]),
  ];
  const command = stackCommand("upgrade", stack, ...options);
  return `The upgrade to ${to} is not finished. Continue with \`${command}\`.`;
}

async function isConfirmed({ flags }: Options, session: Session): Promise<boolean> {
  const isAsked = process.stdin.isTTY && !flags.has("yes");
  return !isAsked || (await confirm("Continue?", session.signal));
}

async function prepareUndo(options: Options, session: Session, { stack, config }: Cluster): Promise<Outcome> {
  const api = await clusterApi(stack, session);
  const [status, servers] = await Promise.all([
    readUpgradeStatus(api, stack, session),
    readApiServers(api, session.signal),
  ]);
  const isEmulating = config.controlPlane.emulate !== undefined;
  const apiServers = servers.map((server) => server.version);
  const { to } = options.values;
  const additional = poolsOf(config).flatMap((pool) => additionalNames(config, pool));
  const ladder = ladderOf(config);
  const plan = planUndo({ apiServers, to, nodes: status.nodes, isEmulating, additional, ladder });
  session.screen.close();
  process.stdout.write(`\n${undoPlanText(plan)}`);
  if (options.flags.has("plan") || !(await isConfirmed(options, session))) return { code: 0 };
  const staying = splitNodes(config, status.nodes).configured.filter(({ name }) => !additional.includes(name));
  const canaries = ownCanaries(config.kubernetes);
  const { hold, canary, upgrading } = config.kubernetes;
  const isRecorded = upgrading !== undefined;
  const stages = undoStages({ ...plan, canaries, canary, hold, holds: holdsOf(config, staying), isRecorded });
  return { approved: { stages, isPaused: false, to: plan.to }, code: 0 };
}

/** Returns the configuration that keeps the nodes of each pool on their versions, unless it stays on one already. */
function holdsOf(config: ClusterConfig, nodes: ClusterStatus["nodes"]): ConfigChange {
  const moving = poolsOf(config).filter((pool) => pool.version === undefined);
  const holds = moving.map(({ name }) => {
    const versions = Object.fromEntries(
      nodes.filter(({ pool }) => pool === name).map((node) => [node.name, node.version]),
    );
    const before = oldest(Object.values(versions));
    return before === undefined ? {} : holdPool({ name, oldest: before, versions }, before);
  });
  return Object.assign({}, ...holds) as ConfigChange;
}

/** Returns the versions of pools that have one of their own: a new pause replaces an earlier one. */
function ownVersions(config: ClusterConfig): Map<string, string> {
  const pools = poolsOf({ ...config, kubernetes: { hold: {} } });
  return new Map(pools.flatMap(({ name, version }) => (version === undefined ? [] : [[name, version] as const])));
}

/** Describes the pause that stays. */
function describeHold(config: ClusterConfig): string | undefined {
  const pools = poolsOf(config).map(({ name }) => name);
  return describePause(config.kubernetes.hold, pools);
}
