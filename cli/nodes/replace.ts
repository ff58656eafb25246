import type { OutputMap, Stack } from "@pulumi/pulumi/automation";
import type { ClusterConfig, Pool } from "../../components/config";
import { machineName, madeNames, numberOf } from "../../components/config";
import { StepError } from "../../common/errors";
import type { KubeApi } from "../../provider/kube/api";
import { isReady, readNode } from "../../provider/kube/cordon";
import { run } from "../../common/process";
import type { RunOptions, Session } from "../engine/operate";
import { refuseFirst, resetMachine } from "./reset";
import { changeStackConfig, poolThatMakes } from "../engine/stack-config";
import { machineMet, type MachineState } from "../engine/state";

/** How a node is replaced. */
export type Way =
  /** Its machine is made anew, under the same name. */
  | { kind: "rebuild"; urn: string }
  /** A machine with a new number joins first. */
  | { kind: "surge"; newcomer: string; skip: string; number: number }
  /** A machine that we did not make: all that is ours goes from it, and comes again. */
  | { kind: "rejoin"; state: MachineState };

/** @throws StepError where it cannot be done. */
export function wayOf(config: ClusterConfig, name: string, state: MachineState, surge: boolean): Way {
  refuseFirst(name, state);
  if (surge) return surgeOf(config, name);
  return state.machine === undefined ? { kind: "rejoin", state } : { kind: "rebuild", urn: state.machine };
}

function surgeOf(config: ClusterConfig, name: string): Way {
  const pool = poolThatMakes(config, name);
  const number = pool && numberOf(pool.name, name);
  if (!pool || number === undefined)
    throw refusal(name, "no further machine can be made in its place", "replace it without --surge");
  return {
    kind: "surge",
    newcomer: newcomer(config, pool, number),
    skip: `${pool.path}.skip[${pool.skip.length}]`,
    number,
  };
}

/** The machine that is there once this number is skipped, and is not there now. */
function newcomer(config: ClusterConfig, pool: Pool, number: number): string {
  const now = madeNames(config, pool);
  return (
    madeNames(config, { ...pool, skip: [...pool.skip, number] }).find((name) => !now.includes(name)) ??
    machineName(pool.name, number + 1)
  );
}

export function planOf(way: Way, name: string): string[] {
  const leaves = [
    `${name} is drained: its pods move to other nodes, within their budgets`,
    `${name} leaves the cluster`,
  ];
  const steps = {
    rebuild: [
      ...leaves,
      `its machine is deleted and made anew`,
      `${name} joins again, and is Ready`,
      "the pods that moved are all there",
    ],
    surge: [
      `a new machine ${way.kind === "surge" ? way.newcomer : ""} is made and joins, and is Ready`,
      ...leaves,
      `the machine ${name} is deleted; its number is not used again (skip)`,
    ],
    rejoin: [
      ...leaves,
      "everything of ours is removed from its machine, which stays",
      `${name} joins again, and is Ready`,
      "the pods that moved are all there",
    ],
  }[way.kind];
  return ["", `Plan for ${name}:`, ...steps.map((step, index) => `  ${index + 1}. ${step}`)];
}

export interface Replacement {
  stack: Stack;
  api: KubeApi;
  name: string;
  way: Way;
  session: Session;
}

type Up = (options: RunOptions) => Promise<{ outputs: OutputMap }>;

/** What is to be done is noted in the state or in the configuration first: so a run that is cut off is completed by any next one. */
export async function rebuild({ stack, api, name, way, session }: Replacement, up: Up): Promise<OutputMap> {
  if (way.kind === "surge") {
    await changeStackConfig(stack, { [way.skip]: way.number });
    return (await up({})).outputs;
  }
  if (way.kind === "rejoin") {
    await resetMachine(stack, way.state, session);
    return (await up({})).outputs;
  }
  await mark(stack, "taint", way.urn);
  const { instance } = await machineMet(stack, name);
  try {
    return (await up({ rebuilt: [instance] })).outputs;
  } catch (error) {
    if (!session.signal.aborted) await forget(stack, api, name, way.urn);
    throw error;
  }
}

/** After a drain that failed the node is as it was: then the next run shall not begin again unasked. */
async function forget(stack: Stack, api: KubeApi, name: string, urn: string): Promise<void> {
  const node = await readNode(api, name, AbortSignal.timeout(20_000)).catch(() => undefined);
  if (!node || !isReady(node)) return;
  await mark(stack, "untaint", urn).catch(() => undefined);
}

/** The Automation API has no such call. `prepareEngine` has set the environment. */
async function mark({ workspace, name }: Stack, verb: "taint" | "untaint", urn: string): Promise<void> {
  await run("pulumi", ["state", verb, urn, "--yes", "--stack", name], { cwd: workspace.workDir });
}

function refusal(machine: string, cause: string, action: string): StepError {
  return new StepError({ step: "replacing the node", machine, cause, action });
}
