import type { Stack } from "@pulumi/pulumi/automation";
import { z } from "zod";
import { StepError } from "../../common/errors";
import { type Connection, connectionSchema } from "../../contracts/connection";

interface StateResource {
  urn: string;
  type: string;
  parent?: string;
  /** Of a Host: what made its machine. */
  deletedWith?: string;
  /** It was deleted to be made anew, and a run ended before it was. */
  pendingReplacement?: boolean;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** What the state has of one machine. */
export interface MachineState {
  /** What made it; absent where it is a person's own. */
  machine?: string;
  /** Everything that we put on it, and its membership. */
  contents: string[];
}

const HOST = "kubewright:host:Host";
const nameOf = (urn: string) => urn.split("::").slice(3).join("::");
const machineOfHost = ({ urn }: StateResource) => nameOf(urn).replace(/-host$/, "");

/** @throws StepError when the stack has no such node. */
export async function machineState(stack: Stack, name: string): Promise<MachineState> {
  const resources = await resourcesOf(stack);
  const nodes = resources.filter(({ type }) => type === HOST).map(machineOfHost);
  if (!nodes.includes(name)) {
    throw new StepError({
      step: "looking for the node",
      cause: `stack "${stack.name}" has no node "${name}"`,
      action: `its nodes are ${nodes.join(", ") || "none yet: run `npm start`"}`,
    });
  }
  const machine = hostOf(resources, name)?.deletedWith;
  return { ...(machine === undefined ? {} : { machine }), contents: contentsOf(resources, name) };
}

/** How the control planes are reached, as a node's resource has it; none where a key is a secret of the state. */
export async function controlPlanes(stack: Stack): Promise<Connection[]> {
  const node = (await resourcesOf(stack)).find(({ type }) => type === "kubewright:kube:Node");
  return z.array(connectionSchema).safeParse(node?.inputs?.controlPlanes).data ?? [];
}

/** How one machine is reached, with the host key that was pinned. @throws StepError when the stack has no such machine. */
export async function machineConnection(stack: Stack, name: string): Promise<Connection> {
  return (await machineMet(stack, name)).connection;
}

/** The same, and the incarnation of the machine that was met there last. */
export async function machineMet(stack: Stack, name: string): Promise<{ connection: Connection; instance: string }> {
  const host = hostOf(await resourcesOf(stack), name);
  const connection = connectionSchema.safeParse(host?.inputs?.connection).data;
  const { hostKey, instance } = host?.outputs ?? {};
  if (connection && typeof instance === "string")
    return { connection: { ...connection, ...(typeof hostKey === "string" ? { hostKey } : {}) }, instance };
  throw new StepError({
    step: "looking for the machine",
    cause: `stack "${stack.name}" does not say how ${name} is reached`,
    action: "run `npm start`",
  });
}

/** Machine-ids of machines that a run which was cut off had already cleaned in order to replace them. */
export async function undoneInstances(stack: Stack): Promise<string[]> {
  return (await resourcesOf(stack))
    .filter(({ type, pendingReplacement }) => type === HOST && pendingReplacement === true)
    .flatMap(({ outputs }) => (typeof outputs?.instance === "string" ? [outputs.instance] : []));
}

async function resourcesOf(stack: Stack): Promise<StateResource[]> {
  return ((await stack.exportStack()).deployment as { resources?: StateResource[] }).resources ?? [];
}

function hostOf(resources: readonly StateResource[], machine: string): StateResource | undefined {
  return resources.find((resource) => resource.type === HOST && machineOfHost(resource) === machine);
}

const ON_ITS_OWN = ["join", "node", "kubectl"];

/** By their parents, and those of a control plane, which have no parent of their own, by name. */
function contentsOf(resources: readonly StateResource[], name: string): string[] {
  const groups = new Set(
    resources
      .filter(({ type, urn }) => /^kubewright:components:(Worker|NodeSetup)$/.test(type) && nameOf(urn) === name)
      .map(({ urn }) => urn),
  );
  const isContent = ({ type, urn, parent }: StateResource) =>
    !type.startsWith("kubewright:components:") &&
    (groups.has(parent ?? "") || ON_ITS_OWN.some((word) => nameOf(urn) === `${name}-${word}`));
  return resources.filter(isContent).map(({ urn }) => urn);
}

/** Whether this is the control plane that the cluster began with. */
export function isFirst(state: MachineState): boolean {
  return !state.contents.some((urn) => urn.includes("kubewright:kubeadm:Join"));
}
