import type { OutputMap, Stack } from "@pulumi/pulumi/automation";
import { confirm } from "../terminal/prompt";
import { fillCache } from "../engine/fill-cache";
import { nodeTable, textOf } from "../nodes/node-table";
import { inSession, operate, type Session } from "../engine/operate";
import { npmCommand, parseOptions, stackOption, type Options } from "../terminal/options";
import { planFrom } from "../preview/plan";
import { planText } from "../preview/plan-text";
import { foresee } from "../preview/run-preview";
import { changeStackConfig } from "../engine/stack-config";
import { isKnownMissing, openStack, prepareEngine } from "../engine/workspace";

/** `npm start`: a cluster as configured, or nothing to do. On a terminal it asks before what disrupts a cluster that is there; `--yes` has said so. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, ["refresh", "yes"]);
  return await inSession(options.stack, (session) => up(options, session));
}

async function up(options: Options, session: Session): Promise<number> {
  await prepareEngine(session.progress, session.signal);
  const isNew = isKnownMissing(options.stack);
  const stack = await openStack(options.stack);
  await fillCache(await changeStackConfig(stack, options.config), session);
  session.signal.throwIfAborted();
  if (!isNew && !(await mayDisrupt(stack, session, options))) return 1;
  const { view, outputs } = await upWhole(stack, session, options.flags.has("refresh"));
  session.screen.close();
  await tell(options.stack, view.changed, view.changes.same ?? 0, outputs);
  return 0;
}

/** The look takes seconds, so only who can be asked waits for it: without a terminal, or with `--yes`, a run does what is configured. */
async function mayDisrupt(stack: Stack, session: Session, { flags }: Options): Promise<boolean> {
  if (!process.stdin.isTTY || flags.has("yes")) return true;
  session.progress("looking at what would happen");
  const plan = planFrom(await foresee(stack, session, { refresh: flags.has("refresh") }));
  if (plan.disruptions.length === 0) return true;
  process.stderr.write(`\n${planText(plan)}\n`);
  return await confirm("Continue?", session.signal);
}

/**
 * A program whose connection to the engine breaks ends without an error, and the engine calls that a success (seen once, after an
 * operation of 25 minutes). Outputs come last, so a run without them is not done: the next one goes on where it stopped.
 */
async function upWhole(stack: Stack, session: Session, refresh: boolean): ReturnType<typeof operate> {
  const first = await operate(stack, "up", session, { refresh });
  if (textOf(first.outputs, "stackId") !== undefined) return first;
  session.progress("Pulumi ended before everything was made; going on");
  return await operate(stack, "up", session);
}

async function tell(stack: string, changed: number, same: number, outputs: OutputMap): Promise<void> {
  const kubeconfig = textOf(outputs, "kubeconfigPath");
  const kubectl = textOf(outputs, "kubectlPath");
  const lines = [
    changed === 0
      ? `Nothing to change: all ${same} resources are as configured.`
      : `Done: ${changed} of ${changed + same} resources changed.`,
  ];
  const nodes = await nodeTable(outputs);
  if (kubeconfig && kubectl && nodes) lines.push("", nodes, "", ...advice(stack, kubectl, kubeconfig));
  process.stdout.write(`${["", ...lines].join("\n")}\n`);
}

function advice(stack: string, kubectl: string, kubeconfig: string): string[] {
  return [
    `kubeconfig  ${kubeconfig}   (${npmCommand("run -s kubeconfig", stack)})`,
    `look        ${kubectl} --kubeconfig ${kubeconfig} get pods -A`,
    `grow        npm run node:join -- --pool workers${stackOption(stack)}`,
    `status      ${npmCommand("run status", stack)}`,
    `again       ${npmCommand("start", stack)}   (changes only what is not as configured)`,
    `destroy     ${npmCommand("run down", stack)}`,
  ];
}
