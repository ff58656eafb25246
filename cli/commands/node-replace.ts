import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import type { KubeApi } from "../../provider/kube/api";
import { runOperation } from "../engine/operate";
import type { Session } from "../engine/session";
import { readStackConfig } from "../engine/stack-config";
import { clusterApi } from "../engine/cluster-api";
import { withStack } from "../engine/stack-session";
import { machineState, type MachineState } from "../engine/state";
import { drainForecast } from "../nodes/drain-forecast";
import { assertQuorum } from "../nodes/etcd-forecast";
import { drainNode, drainSettings, verifyNodeMachine } from "../nodes/drain-node";
import { closingTable } from "../nodes/closing-table";
import { assertRemovable } from "../nodes/reset";
import { chooseReplacement, replaceNode, replacementSteps, type Replacement } from "../nodes/replace";
import { otherChanges } from "../nodes/replace-plan";
import { availableWorkloads, waitForWorkloads } from "../nodes/workloads";
import { nodeArgument, type Options } from "../terminal/options";
import { confirm } from "../terminal/prompt";
import { seconds } from "../terminal/text";

/**
 * `npm run node:replace -- worker-2`: shows the plan, asks, drains the node, recreates its machine, joins it and waits
 * for its pods.
 */
export async function run(options: Options): Promise<number> {
  assertNoDrainOptionsWithSurge(options);
  const name = nodeArgument(options);
  return await withStack(options, "node replace", async (stack, session) => {
    const [config, state, api] = await Promise.all([
      readStackConfig(stack),
      machineState(stack, name),
      clusterApi(stack, session),
    ]);
    await assertRemovable(stack, name);
    const etcd = await assertQuorum(stack, session, { name, returns: true });
    const replacement = chooseReplacement(config, name, state, options.flags.has("surge"));
    const order: Order = { stack, api, name, state, replacement, etcd, options, session };
    await showPlan(order);
    if (!options.flags.has("yes") && !(await confirm(`Replace ${name}?`, session.signal))) return 1;
    return await carryOut(order);
  });
}

interface Order {
  stack: Stack;
  api: KubeApi;
  name: string;
  state: MachineState;
  replacement: Replacement;
  /** What etcd will be when the node has left; empty for a worker. */
  etcd: readonly string[];
  options: Options;
  session: Session;
}

async function showPlan({ stack, api, name, state, replacement, etcd, options, session }: Order): Promise<void> {
  session.progress("computing the plan");
  // With --yes the run starts immediately, and prints every change itself.
  const others = options.flags.has("yes")
    ? []
    : await otherChanges(stack, name, state, replacement.kind === "recreate" ? [replacement.urn] : [], session);
  const drain = await drainForecast(api, options.stack, name, drainSettings(options), session.signal);
  const lines = [...replacementSteps(replacement, name), ...drain, ...etcd, ...otherLines(others)];
  process.stderr.write(`${lines.join("\n")}\n`);
}

function otherLines(changes: readonly string[]): string[] {
  return changes.length === 0
    ? []
    : ["", "The same run makes the other changes of the configuration:", ...changes.map((line) => `  ${line}`)];
}

async function carryOut(order: Order): Promise<number> {
  const { stack, api, name, replacement, options, session } = order;
  const start = Date.now();
  const before = await availableWorkloads(api, session.signal);
  // Drain options on the command line apply to a separate drain; the run that follows finds the node empty.
  if (hasDrainOptions(options)) await drainFirst(order);
  await replaceNode(order, (operation) => runOperation(stack, "up", session, operation));
  session.progress("waiting for the moved pods");
  // A control plane that was replaced has another host key, which the state has by now.
  await waitForWorkloads(await clusterApi(stack, session), before, session.signal);
  session.screen.close();
  const by = replacement.kind === "surge" ? ` by ${replacement.newNode}` : "";
  const nodes = (await closingTable(stack, session)) ?? "";
  process.stdout.write(
    `\n${name} is replaced${by}, and all moved pods are running, after ${seconds(start)}.\n\n${nodes}\n`,
  );
  return 0;
}

/** A machine that is recreated is identified by its platform. One that rejoins is cleaned over SSH. */
async function drainFirst({ stack, api, name, replacement, options, session }: Order): Promise<void> {
  const settings = drainSettings(options);
  if (replacement.kind === "rejoin") await verifyNodeMachine(api, stack, name, settings, session);
  await drainNode(api, stack, name, settings, session);
}

function hasDrainOptions(options: Options): boolean {
  return Object.keys(drainSettings(options)).length > 0;
}

function assertNoDrainOptionsWithSurge(options: Options): void {
  if (!options.flags.has("surge") || !hasDrainOptions(options)) return;
  throw new StepError({
    step: "reading the command line",
    cause: "with --surge the run itself drains the node, and drain options of the command line do not apply to it",
    action: "set drain.timeout, drain.localData or drain.unmanaged in the configuration, or omit --surge",
  });
}
