import semver from "semver";
import type { Stack } from "@pulumi/pulumi/automation";
import { loadVersions } from "../../artifacts";
import { StepError } from "../../common/errors";
import type { KubeApi } from "../../provider/kube/api";
import { planDrain } from "../../provider/kube/drain-plan";
import { parseDeprecatedApis, type DeprecatedApi } from "../../provider/kube/deprecated-apis";
import { type ClusterConfig, poolsOf } from "../../components/config";
import { type ConfigChange, readStackConfig } from "../engine/stack-config";
import { clusterApi, requireStack } from "../engine/cluster-api";
import { controlPlaneRemotes } from "../engine/machines";
import { withSession, type Session } from "../engine/session";
import { controlPlanes } from "../engine/state";
import { prepareEngine } from "../engine/workspace";
import { clusterStatus, type ClusterStatus } from "../nodes/cluster-status";
import { configuredDrain } from "../nodes/drain-node";
import { planUpgrade, readApiServerVersions, type UpgradePlan } from "../nodes/upgrade-plan";
import { HOLD, describePause, pauseAfter } from "../nodes/upgrade-pause";
import { upgradePlanText } from "../nodes/upgrade-plan-text";
import { type Options, stackCommand } from "../terminal/options";
import { confirm } from "../terminal/prompt";
import { run as up } from "./up";

/** What was approved. */
interface Approved {
  chain: readonly string[];
  /** Configuration that pauses the upgrade. */
  pause: ConfigChange;
}

/** `npm run upgrade`: prints the plan, and then runs `npm start` for each version of the chain. */
export async function run(options: Options): Promise<number> {
  let approved: Approved | undefined;
  const code = await withSession(options.stack, async (session) => {
    await prepareEngine(session.progress, session.signal);
    const stack = await requireStack(options.stack);
    const config = await readStackConfig(stack);
    const plan = await readPlan(options, session, { stack, config });
    session.screen.close();
    const stage = options.values["pause-after"];
    const pause = stage === undefined ? {} : pauseAfter(stage, plan, poolsOf(config));
    if (await isApproved(plan, options, session)) approved = { chain: plan.chain, pause };
    if (approved && options.flags.has("resume")) await stack.removeConfig(HOLD, true);
    return approved === undefined && plan.blocking.length > 0 ? 1 : 0;
  });
  return approved === undefined ? code : await upgradeInSteps(options, approved);
}

async function upgradeInSteps({ stack }: Options, { chain, pause }: Approved): Promise<number> {
  for (const version of chain) {
    process.stdout.write(`\nUpgrading to ${version}\n`);
    const code = await up({
      ...{ stack, flags: new Set(["yes"]), values: {}, words: [] },
      config: { "kubernetes.version": version, ...pause },
    });
    if (code !== 0) return code;
  }
  if (Object.keys(pause).length > 0)
    process.stdout.write(
      `\nPaused. Run \`${stackCommand("check", stack)}\`, then \`${stackCommand("upgrade", stack, "--resume")}\`.\n`,
    );
  return 0;
}

async function isApproved(plan: UpgradePlan, { flags }: Options, session: Session): Promise<boolean> {
  if (plan.blocking.length > 0 || flags.has("plan") || plan.chain.length === 0) return false;
  const isAsked = process.stdin.isTTY && !flags.has("yes");
  return !isAsked || (await confirm("Continue?", session.signal));
}

async function readPlan(
  { flags, values }: Options,
  session: Session,
  { stack, config }: { stack: Stack; config: ClusterConfig },
): Promise<UpgradePlan> {
  const supported = Object.keys(loadVersions().kubernetes.supported);
  const { version, hold } = config.kubernetes;
  const isResumed = flags.has("resume");
  const to = values.to ?? (isResumed ? version : (semver.maxSatisfying(supported, "*") ?? ""));
  const api = await clusterApi(stack, session);
  const status = await readStatus(api, stack, session);
  const pools = poolsOf(isResumed ? { ...config, kubernetes: { hold: {} } } : config);
  const poolVersions = new Map(pools.flatMap(({ name, version }) => (version === undefined ? [] : [[name, version]])));
  const [apiServers, deprecated, obstacles] = await Promise.all([
    readApiServerVersions(api, session.signal),
    readDeprecatedApis(stack, session),
    readObstacles(api, { stack: stack.name, status, signal: session.signal }),
  ]);
  const plan = planOrError({ apiServers, to, supported, status, poolVersions, deprecated, obstacles });
  const paused = isResumed ? undefined : describePause(hold);
  process.stdout.write(`\n${upgradePlanText(plan, status)}${paused === undefined ? "" : `\n${paused}\n`}`);
  return plan;
}

async function readStatus(api: KubeApi, stack: Stack, session: Session): Promise<ClusterStatus> {
  const machines = await controlPlaneRemotes(stack, session);
  return await clusterStatus(api, { signal: session.signal, controlPlanes: machines });
}

function planOrError(facts: Parameters<typeof planUpgrade>[0]): UpgradePlan {
  const action = `use one of ${facts.supported.join(", ")}`;
  if (!facts.supported.includes(facts.to))
    throw new StepError({ step: "planning the upgrade", cause: `version ${facts.to} cannot be installed`, action });
  try {
    return planUpgrade(facts);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new StepError({ step: "planning the upgrade", cause: error.message, action });
  }
}

/** Each API server counts the requests since its own start. */
async function readDeprecatedApis(stack: Stack, { provider, signal }: Session): Promise<DeprecatedApi[]> {
  const metrics = await Promise.all(
    (await controlPlanes(stack)).map((connection) =>
      provider.kube.readText(connection, "/metrics", signal).catch(() => {
        signal.throwIfAborted();
        return "";
      }),
    ),
  );
  return parseDeprecatedApis(metrics.join("\n"));
}

async function readObstacles(
  api: KubeApi,
  { stack, status, signal }: { stack: string; status: ClusterStatus; signal: AbortSignal },
): Promise<Map<string, string[]>> {
  const workers = status.nodes.filter(({ roles }) => !roles.includes("control-plane"));
  const plans = await Promise.all(workers.map(({ name }) => planDrain(api, name, configuredDrain(stack), signal)));
  return new Map(plans.map(({ node, obstacles }) => [node, obstacles]));
}
