import semver from "semver";
import type { Stack } from "@pulumi/pulumi/automation";
import { loadVersions } from "../../artifacts";
import { StepError } from "../../common/errors";
import type { KubeApi } from "../../provider/kube/api";
import { planDrain } from "../../provider/kube/drain-plan";
import { parseDeprecatedApis, type DeprecatedApi } from "../../provider/kube/deprecated-apis";
import { poolsOf } from "../../components/config";
import { readStackConfig } from "../engine/stack-config";
import { clusterApi, missingCluster } from "../engine/cluster-api";
import { withSession, type Session } from "../engine/session";
import { controlPlanes } from "../engine/state";
import { findStack, prepareEngine } from "../engine/workspace";
import { clusterStatus, type ClusterStatus } from "../nodes/cluster-status";
import { configuredDrain } from "../nodes/drain-node";
import { planUpgrade, readApiServerVersions, type UpgradePlan } from "../nodes/upgrade-plan";
import { upgradePlanText } from "../nodes/upgrade-plan-text";
import type { Options } from "../terminal/options";
import { confirm } from "../terminal/prompt";
import { run as up } from "./up";

/** `npm run upgrade`: prints the plan, and then runs `npm start` for each version of the chain. */
export async function run(options: Options): Promise<number> {
  let chain: readonly string[] | undefined;
  const code = await withSession(options.stack, async (session) => {
    const plan = await readPlan(options, session);
    session.screen.close();
    chain = await approve(plan, options, session);
    return chain === undefined && plan.blocking.length > 0 ? 1 : 0;
  });
  for (const version of code === 0 ? (chain ?? []) : []) {
    process.stdout.write(`\nUpgrading to ${version}\n`);
    const result = await up({
      ...{ stack: options.stack, flags: new Set(["yes"]), values: {}, words: [] },
      config: { "kubernetes.version": version },
    });
    if (result !== 0) return result;
  }
  return code;
}

/** Returns the versions to upgrade to; undefined if nothing is to be done now. */
async function approve(plan: UpgradePlan, { flags }: Options, session: Session): Promise<string[] | undefined> {
  if (plan.blocking.length > 0 || flags.has("plan") || plan.chain.length === 0) return undefined;
  const isAsked = process.stdin.isTTY && !flags.has("yes");
  return !isAsked || (await confirm("Continue?", session.signal)) ? plan.chain : undefined;
}

async function readPlan(options: Options, session: Session): Promise<UpgradePlan> {
  await prepareEngine(session.progress, session.signal);
  const stack = await findStack(options.stack);
  if (!stack) throw missingCluster(options.stack);
  const supported = Object.keys(loadVersions().kubernetes.supported);
  const to = options.values.to ?? semver.maxSatisfying(supported, "*") ?? "";
  const api = await clusterApi(stack, session);
  const status = await readStatus(api, stack, session);
  const pools = poolsOf(await readStackConfig(stack));
  const poolVersions = new Map(pools.flatMap(({ name, version }) => (version === undefined ? [] : [[name, version]])));
  const [apiServers, deprecated, obstacles] = await Promise.all([
    readApiServerVersions(api, session.signal),
    readDeprecatedApis(stack, session),
    readObstacles(api, { stack: stack.name, status, signal: session.signal }),
  ]);
  const plan = planOrError({ apiServers, to, supported, status, poolVersions, deprecated, obstacles });
  process.stdout.write(`\n${upgradePlanText(plan, status)}`);
  return plan;
}

async function readStatus(api: KubeApi, stack: Stack, session: Session): Promise<ClusterStatus> {
  const machines = (await controlPlanes(stack)).map((connection) => session.provider.connections.get(connection));
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
