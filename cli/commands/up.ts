import type { Stack } from "@pulumi/pulumi/automation";
import { fillCache } from "../engine/fill-cache";
import { configureNewCluster } from "../engine/new-cluster";
import { runOperation, type OperationResult } from "../engine/operate";
import { pathOutput, textOutput } from "../engine/outputs";
import { withSession, type Session } from "../engine/session";
import { withConfigChange } from "../engine/config-change";
import type { ConfigChange } from "../engine/stack-config";
import { isKnownMissing, openStack, prepareEngine } from "../engine/workspace";
import { closingTable } from "../nodes/closing-table";
import { settleUpgrade } from "../nodes/ended-upgrade";
import { withEtcdForecast } from "../nodes/etcd-forecast";
import { planFrom } from "../preview/plan";
import { planText } from "../preview/plan-text";
import { runPreview } from "../preview/run-preview";
import { stackCommand, type Options } from "../terminal/options";
import { confirm } from "../terminal/prompt";
import { pluralize } from "../terminal/text";

/** `npm start`: creates or updates the cluster. On a terminal it asks before it disrupts an existing cluster. */
export async function run(options: Options): Promise<number> {
  return await withSession(options.stack, (session) => up(options, session));
}

async function up(options: Options, session: Session): Promise<number> {
  await prepareEngine(session.progress, session.signal);
  const isNew = isKnownMissing(options.stack);
  const stack = await openStack(options.stack);
  const refresh = options.flags.has("refresh") || options.values[RESTORE_FROM] !== undefined;
  const result = await withConfigChange({ stack, session }, configOf(options), async (changed, keep) => {
    const config = await configureNewCluster(stack, changed, { isMissing: isNew, progress: session.progress });
    await fillCache(config, session);
    session.signal.throwIfAborted();
    if (!isNew && !(await mayDisrupt(stack, session, options, refresh))) return undefined;
    return await runToEnd({ stack, session, refresh, keep });
  });
  if (result === undefined) return 1;
  await forgetRestore(stack, options);
  // An upgrade, which runs this command for each of its steps, has messages of its own.
  const upgrade = options.removed === undefined ? await settleUpgrade(stack) : undefined;
  session.screen.close();
  await printResult({ stack, session, ...result });
  if (upgrade !== undefined) process.stdout.write(`\n${upgrade}\n`);
  return 0;
}

const RESTORE_FROM = "restore-from";
const RESTORE_PATH = "backup.restoreFrom";

/** The backup stays in the configuration until the run has ended, so that the next run continues an interrupted one. */
function configOf({ config, removed = [], values }: Options): ConfigChange {
  const backup = values[RESTORE_FROM];
  const change = { ...Object.fromEntries(removed.map((path) => [path, undefined])), ...config };
  return backup === undefined ? change : { ...change, [RESTORE_PATH]: backup };
}

async function forgetRestore(stack: Stack, { values }: Options): Promise<void> {
  if (values[RESTORE_FROM] !== undefined) await stack.removeConfig(RESTORE_PATH, true);
}

/** The preview takes seconds, so it runs only where a question can be asked: on a terminal without `--yes`. */
async function mayDisrupt(stack: Stack, session: Session, { flags }: Options, refresh: boolean): Promise<boolean> {
  if (!process.stdin.isTTY || flags.has("yes")) return true;
  session.progress("computing the plan");
  const plan = planFrom(await runPreview(stack, session, { refresh }));
  if (plan.disruptions.length === 0) return true;
  process.stderr.write(`\n${planText(await withEtcdForecast(stack, session, plan))}\n`);
  return await confirm("Continue?", session.signal);
}

interface Run {
  stack: Stack;
  session: Session;
  refresh: boolean;
  /** Lets the changed configuration stay, whatever fails afterwards. */
  keep: () => void;
}

/**
 * Runs `up` again where the first run ended without outputs. A program that loses its connection to the engine ends
 * without an error, which the engine reports as success (seen once, after an operation of 25 minutes).
 */
async function runToEnd({ stack, session, refresh, keep }: Run): Promise<OperationResult> {
  const first = await runOperation(stack, "up", session, { refresh });
  keep();
  if (textOutput(first.outputs, "stackId") !== undefined) return first;
  session.progress("Pulumi ended before all resources were created: continuing");
  return await runOperation(stack, "up", session);
}

interface Result extends OperationResult {
  stack: Stack;
  session: Session;
}

async function printResult({ stack, session, view, outputs }: Result): Promise<void> {
  const [changed, same] = [view.changed, view.changes.same ?? 0];
  const kubeconfig = pathOutput(outputs, "kubeconfigPath");
  const kubectl = pathOutput(outputs, "kubectlPath");
  const lines = [
    changed === 0
      ? `Nothing to change: all ${same} resources match the configuration.`
      : `Done: ${changed} of ${pluralize(changed + same, "resource")} changed.`,
  ];
  const nodes = await closingTable(stack, session);
  if (kubeconfig && kubectl && nodes) lines.push("", nodes, "", ...nextSteps(stack.name, kubectl, kubeconfig));
  process.stdout.write(`${["", ...lines].join("\n")}\n`);
}

function nextSteps(stack: string, kubectl: string, kubeconfig: string): string[] {
  return [
    `kubeconfig  ${kubeconfig}   (${stackCommand("kubeconfig", stack)})`,
    `pods        ${kubectl} --kubeconfig ${kubeconfig} get pods -A`,
    `add a node  ${stackCommand("node join", stack, "--pool workers")}`,
    `status      ${stackCommand("status", stack)}`,
    `check       ${stackCommand("check", stack)}   (starts pods that test DNS, Services and access)`,
    `update      ${stackCommand("up", stack)}   (changes only what differs from the configuration)`,
    `delete      ${stackCommand("down", stack)}`,
  ];
}
