import type { Stack } from "@pulumi/pulumi/automation";
import { timeoutSignal } from "../../common/timer";
import { machineName, madeNames, numberOf, type ClusterConfig, type Pool } from "../../components/config";
import { StepError } from "../../common/errors";
import { run } from "../../common/process";
import type { KubeApi } from "../../provider/kube/api";
import { readNode } from "../../provider/kube/cordon";
import type { RunOptions } from "../engine/operate";
import type { Session } from "../engine/session";
import { withConfigChange } from "../engine/config-change";
import { poolOfCreated } from "../engine/stack-config";
import { recordedMachine, type MachineState } from "../engine/state";
import { resetMachine } from "./reset";

/** How a node is replaced. */
export type Replacement =
  /** Its machine is recreated under the same name. */
  | { kind: "recreate"; urn: string }
  /** A machine with a new number joins first. */
  | { kind: "surge"; newNode: string; skip: string; number: number }
  /** Kubernetes is removed from the user's machine and set up again. */
  | { kind: "rejoin"; state: MachineState };

/** Chooses how to replace a node. @throws StepError where it cannot be replaced */
export function chooseReplacement(
  config: ClusterConfig,
  name: string,
  state: MachineState,
  isSurge: boolean,
): Replacement {
  if (isSurge) return surge(config, name);
  return state.machine === undefined ? { kind: "rejoin", state } : { kind: "recreate", urn: state.machine };
}

function surge(config: ClusterConfig, name: string): Replacement {
  const pool = poolOfCreated(config, name);
  const number = pool && numberOf(pool.name, name);
  if (!pool || number === undefined)
    throw new StepError({
      step: "replacing the node",
      machine: name,
      cause: "its machine was not created by a pool, so no additional machine can be created",
      action: "replace it without --surge",
    });
  const newNode = newNodeName(config, pool, number);
  return { kind: "surge", newNode, skip: `${pool.path}.skip[${pool.skip.length}]`, number };
}

/** Name of the machine that the pool creates once this number is skipped. */
function newNodeName(config: ClusterConfig, pool: Pool, number: number): string {
  const existing = madeNames(config, pool);
  const names = madeNames(config, { ...pool, skip: [...pool.skip, number] });
  return names.find((name) => !existing.includes(name)) ?? machineName(pool.name, number + 1);
}

/** Describes the steps of a replacement. */
export function replacementSteps(replacement: Replacement, name: string): string[] {
  const leaves = [
    `${name} is drained: its pods move to other nodes within their disruption budgets`,
    `${name} leaves the cluster`,
  ];
  const rejoins = [`${name} joins again and becomes Ready`, "all moved pods are running"];
  const steps = {
    recreate: [...leaves, "its machine is deleted and recreated", ...rejoins],
    surge: [
      `a new machine ${replacement.kind === "surge" ? replacement.newNode : ""} is created, joins and becomes Ready`,
      ...leaves,
      `the machine of ${name} is deleted, and its number is not used again (skip)`,
    ],
    rejoin: [...leaves, "Kubernetes is removed from its machine, which stays", ...rejoins],
  }[replacement.kind];
  return ["", `Plan for ${name}:`, ...steps.map((step, index) => `  ${index + 1}. ${step}`)];
}

export interface ReplacementRun {
  stack: Stack;
  api: KubeApi;
  name: string;
  replacement: Replacement;
  session: Session;
}

type Up = (options: RunOptions) => Promise<unknown>;

/**
 * Carries out a replacement. It is recorded in the state or in the configuration first, so that any later run completes
 * an interrupted one.
 */
export async function replaceNode({ stack, api, name, replacement, session }: ReplacementRun, up: Up): Promise<void> {
  if (replacement.kind !== "recreate") {
    if (replacement.kind === "rejoin") await resetMachine(stack, replacement.state, session);
    const change = replacement.kind === "surge" ? { [replacement.skip]: replacement.number } : {};
    await withConfigChange({ stack, session }, change, () => up({}).then(() => true));
    return;
  }
  await mark(stack, "taint", replacement.urn);
  const { instance } = await recordedMachine(stack, name);
  try {
    await up({ rebuilt: [instance] });
  } catch (error) {
    if (!session.signal.aborted) await unmark({ stack, api, name, urn: replacement.urn, instance });
    throw error;
  }
}

interface MarkedMachine {
  stack: Stack;
  api: KubeApi;
  name: string;
  urn: string;
  /** The machine-id before the replacement. */
  instance: string;
}

/**
 * After a failed drain the node is still in the cluster, on the same machine: the next run must not replace it unless
 * the user requests it. A node that has left the cluster stays marked, so that the next run completes the replacement.
 */
async function unmark({ stack, api, name, urn, instance }: MarkedMachine): Promise<void> {
  const node = await readNode(api, name, timeoutSignal(20_000)).catch(() => undefined);
  if (node?.status?.nodeInfo?.machineID !== instance) return;
  await mark(stack, "untaint", urn).catch(() => undefined);
}

/** The Automation API has no such call. `prepareEngine` has set the environment. */
async function mark({ workspace, name }: Stack, verb: "taint" | "untaint", urn: string): Promise<void> {
  await run("pulumi", ["state", verb, urn, "--yes", "--stack", name], { cwd: workspace.workDir });
}
