import type { Stack } from "@pulumi/pulumi/automation";
import { z } from "zod";
import { StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import { assertReadableState } from "../../provider/rpc/state-version";
import { PROJECT } from "./project-folder";
import { withoutSecretMarks } from "./secrets";
import type { Inputs, Outputs } from "../../contracts/contract";
import { kubeconfigContract } from "../../contracts/local/kubeconfig";
import { connectionSchema, type Connection } from "../../contracts/connection";
import { userCommand } from "../../common/user-command";

/** A resource of the state. Secrets are in plain text, between marks: see secrets.ts. */
export interface StateResource {
  urn: string;
  type: string;
  parent?: string;
  /** URNs of the resources that were created first. */
  dependencies?: string[];
  /** For a Host: the resource that created its machine. */
  deletedWith?: string;
  /** Deleted for a replacement that has not been created yet. */
  pendingReplacement?: boolean;
  /** When a run last changed the resource, ISO 8601. */
  modified?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** The resources of one machine. */
export interface MachineState {
  /** URN of the resource that created the machine; absent for a machine that the user provides. */
  machine?: string;
  /** URNs of everything on the machine, including its membership. */
  contents: string[];
}

const HOST = "kubewright:host:Host";
const nameOf = (urn: string) => urn.split("::").slice(3).join("::");
const machineOfHost = ({ urn }: StateResource) => nameOf(urn).replace(/-host$/, "");

/** Returns the resources of a node. @throws StepError where the stack has no such node */
export async function machineState(stack: Stack, name: string): Promise<MachineState> {
  const resources = await resourcesOf(stack);
  const nodes = resources.filter(({ type }) => type === HOST).map(machineOfHost);
  if (!nodes.includes(name)) {
    throw new StepError({
      step: "reading the state",
      cause: `stack "${stack.name}" has no node named ${name}`,
      action: nodes.length > 0 ? `use one of ${nodes.join(", ")}` : `create the nodes with \`${userCommand("up")}\``,
    });
  }
  return {
    ...optional({ machine: hostOf(resources, name)?.deletedWith }),
    contents: contentsOf(resources, name),
  };
}

/** Connections to the control planes; empty where the stack has no node yet. */
export async function controlPlanes(stack: Stack): Promise<Connection[]> {
  const node = (await resourcesOf(stack)).find(({ type }) => type === "kubewright:kube:Node");
  return z.array(connectionSchema).safeParse(withoutSecretMarks(node?.inputs?.controlPlanes)).data ?? [];
}

/** The kubeconfig file of a stack's cluster, and how it is read from the control planes. */
export async function recordedKubeconfig(
  stack: Stack,
): Promise<{ inputs: Inputs<typeof kubeconfigContract>; outputs: Outputs<typeof kubeconfigContract> } | undefined> {
  const file = (await resourcesOf(stack)).find(({ type }) => type === kubeconfigContract.type);
  const inputs = kubeconfigContract.inputs.safeParse(withoutSecretMarks(file?.inputs)).data;
  const outputs = kubeconfigContract.outputs.safeParse(withoutSecretMarks(file?.outputs)).data;
  return inputs && outputs && { inputs, outputs };
}

/** Connection to a machine, with its pinned host key. @throws StepError where the stack has no such machine */
export async function machineConnection(stack: Stack, name: string): Promise<Connection> {
  return (await recordedMachine(stack, name)).connection;
}

/** Connections to all machines, with their pinned host keys. */
export async function machineConnections(stack: Stack): Promise<Connection[]> {
  const hosts = (await resourcesOf(stack)).filter(({ type }) => type === HOST);
  return hosts.flatMap((host) => connectionOf(host) ?? []);
}

function connectionOf({ inputs, outputs }: StateResource): Connection | undefined {
  const connection = connectionSchema.safeParse(withoutSecretMarks(inputs?.connection)).data;
  const hostKey = outputs?.hostKey;
  return connection && { ...connection, ...(typeof hostKey === "string" ? { hostKey } : {}) };
}

/**
 * Connection to a machine, and its machine-id at the last run. @throws StepError where the stack has no such machine
 */
export async function recordedMachine(
  stack: Stack,
  name: string,
): Promise<{ connection: Connection; instance: string }> {
  const host = hostOf(await resourcesOf(stack), name);
  const connection = host && connectionOf(host);
  const instance = host?.outputs?.instance;
  if (connection && typeof instance === "string") return { connection, instance };
  throw new StepError({
    step: "reading the state",
    cause: `stack "${stack.name}" has no connection to ${name}`,
    action: `run \`${userCommand("up")}\``,
  });
}

/** When a run last changed each node, ISO 8601, by its name. */
export async function nodeChanges(stack: Stack): Promise<Map<string, string>> {
  const nodes = (await resourcesOf(stack)).filter(({ type }) => type === "kubewright:kube:Node");
  return new Map(
    nodes.flatMap(({ inputs, modified }) => {
      const name = inputs?.node;
      return typeof name === "string" && modified !== undefined ? [[name, modified] as const] : [];
    }),
  );
}

/** Machine-ids of machines that an interrupted run had already cleaned in order to replace them. */
export async function undoneInstances(stack: Stack): Promise<string[]> {
  return (await resourcesOf(stack))
    .filter(({ type, pendingReplacement }) => type === HOST && pendingReplacement === true)
    .flatMap(({ outputs }) => (typeof outputs?.instance === "string" ? [outputs.instance] : []));
}

/** Returns all resources of the state. @throws StepError where a newer Kubewright wrote the state */
export async function resourcesOf(stack: Stack): Promise<StateResource[]> {
  const { resources = [] } = (await stack.exportStack()).deployment as { resources?: StateResource[] };
  const providers = resources.filter(({ type }) => type === `pulumi:providers:${PROJECT}`);
  for (const { inputs = {} } of providers) assertReadableState(inputs);
  return resources;
}

function hostOf(resources: readonly StateResource[], machine: string): StateResource | undefined {
  return resources.find((resource) => resource.type === HOST && machineOfHost(resource) === machine);
}

/** Suffixes of a control plane's resources, which have no parent of their own. */
const CONTROL_PLANE_RESOURCES = ["join", "control-plane", "node", "kubectl"];

function contentsOf(resources: readonly StateResource[], name: string): string[] {
  const groups = new Set(
    resources
      .filter(({ type, urn }) => /^kubewright:components:(Worker|NodeSetup)$/.test(type) && nameOf(urn) === name)
      .map(({ urn }) => urn),
  );
  const isContent = ({ type, urn, parent }: StateResource) =>
    !type.startsWith("kubewright:components:") &&
    (groups.has(parent ?? "") || CONTROL_PLANE_RESOURCES.some((suffix) => nameOf(urn) === `${name}-${suffix}`));
  return resources.filter(isContent).map(({ urn }) => urn);
}

const INIT = "kubewright:kubeadm:Init";

/** Whether the stack has begun to initialize a cluster with kubeadm, also if that has failed. */
export async function hasCluster(stack: Stack): Promise<boolean> {
  return (await resourcesOf(stack)).some(({ type }) => type === INIT);
}

const initSchema = z.object({
  connection: z.object({ name: z.string().optional() }),
  controlPlanes: z.array(z.string()).default([]),
  documents: z
    .array(
      z.object({
        controlPlaneEndpoint: z.string().optional(),
        localAPIEndpoint: z.object({ advertiseAddress: z.string() }).optional(),
      }),
    )
    .default([]),
});

/** Returns why the cluster would not survive the removal of a machine; undefined if it does. */
export async function reasonToKeep(stack: Stack, name: string): Promise<string | undefined> {
  const resources = await resourcesOf(stack);
  const isJoined = resources.some(({ urn, type }) => type.endsWith(":Join") && nameOf(urn) === `${name}-join`);
  const init = initSchema.safeParse(withoutSecretMarks(resources.find(({ type }) => type === INIT)?.inputs)).data;
  if (init?.connection.name !== name && isJoined) return undefined;
  if (!init || init.controlPlanes.length < 2)
    return "it is the only control plane, and its machine holds the cluster's state";
  return ownsEndpoint(init)
    ? "all nodes use its address as the cluster's endpoint; " +
        `run \`${userCommand("up")}\` first: it gives each node a balancer`
    : undefined;
}

/** Whether nodes reach the API server at the address of the machine that initialized the cluster: an older version. */
function ownsEndpoint({ documents }: z.output<typeof initSchema>): boolean {
  const [endpoint] = documents.flatMap(({ controlPlaneEndpoint }) => controlPlaneEndpoint ?? []);
  const [own] = documents.flatMap(({ localAPIEndpoint }) => localAPIEndpoint?.advertiseAddress ?? []);
  return own !== undefined && endpoint?.replace(/:\d+$/, "") === own;
}
