import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import type { KubeApi } from "../../provider/kube/api";
import { confirm } from "../terminal/prompt";
import { DRAIN_FLAGS, drainNode, rulesOf } from "../nodes/drain-node";
import { nodeTable } from "../nodes/node-table";
import { clusterApi, onStack } from "../engine/on-stack";
import { operate, type Session } from "../engine/operate";
import { onlyWord, parseOptions, type Options } from "../terminal/options";
import { prospects } from "../nodes/drain-forecast";
import { planOf, rebuild, type Way, wayOf } from "../nodes/replace";
import { otherChanges } from "../nodes/replace-plan";
import { readStackConfig } from "../engine/stack-config";
import { machineState } from "../engine/state";
import { seconds } from "../terminal/text";
import { untilWhole, wholeWorkloads } from "../nodes/workloads";

/** `npm run node:replace -- worker-2`: the plan, a question, then drained, deleted, rebuilt and joined, and its pods back. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, [...DRAIN_FLAGS, "surge", "yes"], ["timeout"]);
  const name = onlyWord(options, "node");
  return await onStack(options, "node:replace", (stack, session) => replace(stack, name, options, session));
}

async function replace(stack: Stack, name: string, options: Options, session: Session): Promise<number> {
  const { signal, progress } = session;
  const rules = rulesOf(options);
  const ownDrain = Object.keys(rules).length > 0;
  const surge = options.flags.has("surge");
  if (surge && ownDrain) throw surgeWithRules();
  const [config, state, api] = await Promise.all([
    readStackConfig(stack),
    machineState(stack, name),
    clusterApi(options.stack),
  ]);
  const way = wayOf(config, name, state, surge);
  progress("looking at what would happen");
  // What else the run changes is for the person who decides; the run itself tells it too.
  const others = options.flags.has("yes")
    ? []
    : await otherChanges(stack, name, state, way.kind === "rebuild" ? [way.urn] : [], session);
  process.stderr.write(
    `${[...planOf(way, name), ...(await prospects(api, options.stack, name, rules, signal)), ...listed(others)].join("\n")}\n`,
  );
  if (!options.flags.has("yes") && !(await confirm(`Replace ${name}?`, signal))) return 1;
  return await carryOut({ stack, api, name, way, options, session }, ownDrain);
}

interface Order {
  stack: Stack;
  api: KubeApi;
  name: string;
  way: Way;
  options: Options;
  session: Session;
}

async function carryOut({ stack, api, name, way, options, session }: Order, ownDrain: boolean): Promise<number> {
  const start = Date.now();
  const before = await wholeWorkloads(api, session.signal);
  // With rules of its own the drain comes first, by itself; what then deletes the node finds it empty.
  if (ownDrain) await drainNode(api, options.stack, name, rulesOf(options), session);
  const outputs = await rebuild({ stack, api, name, way, session }, (operation) =>
    operate(stack, "up", session, operation),
  );
  session.progress("waiting for the pods to be back");
  await untilWhole(api, before, session.signal);
  session.screen.close();
  process.stdout.write(
    `\n${name} is replaced${way.kind === "surge" ? ` by ${way.newcomer}` : ""}, and its pods are back, after ${seconds(start)}.\n\n${(await nodeTable(outputs)) ?? ""}\n`,
  );
  return 0;
}

function listed(others: readonly string[]): string[] {
  return others.length === 0
    ? []
    : ["", "The same run also does what else the configuration asks for:", ...others.map((line) => `  ${line}`)];
}

function surgeWithRules(): StepError {
  return new StepError({
    step: "reading the command line",
    cause: "with --surge the drain comes at the end, where the options of a drain do not reach it",
    action: "set them in the configuration (drain.timeout, drain.localData, drain.unmanaged), or leave out --surge",
  });
}
