import type { EngineEvent, PreviewOptions, Stack, StepEventMetadata } from "@pulumi/pulumi/automation";
import { isObject } from "../../../provider/rpc/values";
import { plainText } from "../failure";
import type { Session } from "../operate";

export type Values = Record<string, unknown>;
export type Op = "same" | "create" | "update" | "replace" | "delete";

/** What a run would do with one resource. */
export interface Step {
  op: Op;
  urn: string;
  /** `Unit`: the last part of the type. */
  kind: string;
  type: string;
  /** The resource's logical name. */
  name: string;
  /** What is there: the inputs that describe it. */
  found: Values;
  /** What is configured. */
  wanted: Values;
  /** The paths at which the two differ, as the provider has told. */
  paths: string[];
  /** Those of them, or the properties, that need a new resource. */
  replacing: string[];
}

export interface Foreseen {
  steps: Step[];
  /** What was noticed on the way: machines that could not be looked at, or were rebooted. */
  notices: string[];
}

/** How the engine's events write a secret (resource/properties.go in pulumi/pulumi). */
export const SECRET = "[secret]";

const OPS: Record<string, Op> = { same: "same", create: "create", update: "update", delete: "delete", replace: "replace", "create-replacement": "replace" };

/** Asks the engine what a run would do, which changes nothing. */
export async function foresee(stack: Stack, session: Pick<Session, "signal">, options: Pick<PreviewOptions, "refresh" | "replace" | "configFile"> = {}): Promise<Foreseen> {
  const told: StepEventMetadata[] = [];
  const notices = new Set<string>();
  const onEvent = ({ resourcePreEvent, diagnosticEvent }: EngineEvent) => {
    if (resourcePreEvent) told.push(resourcePreEvent.metadata);
    if (diagnosticEvent?.severity === "warning") notices.add(plainText(diagnosticEvent.message));
  };
  await stack.preview({ ...options, onEvent, signal: session.signal, color: "never" });
  return { steps: stepsOf(told), notices: [...notices] };
}

/** One for each resource. Of a replacement the last event says what is new, and why. */
export function stepsOf(told: readonly StepEventMetadata[]): Step[] {
  return [...new Map(told.map(stepOf).flatMap((step) => (step ? [[step.urn, step]] : []))).values()];
}

/** Undefined for what groups others, and for the half of a replacement that says nothing new. */
export function stepOf({ op, urn, type, provider, old, new: news, keys, detailedDiff }: StepEventMetadata): Step | undefined {
  const known = OPS[op];
  if (known === undefined || provider === "" || type.startsWith("pulumi:")) return undefined;
  const found = valuesOf(old?.inputs);
  const wanted = known === "delete" ? {} : valuesOf(news?.inputs ?? old?.inputs);
  const differences = Object.entries(detailedDiff ?? {});
  const replacing = differences.filter(([, { diffKind }]) => diffKind.endsWith("-replace")).map(([path]) => path);
  return {
    op: known, urn, type, kind: type.split(":").pop() ?? "", name: urn.split("::").slice(3).join("::"), found, wanted,
    paths: differences.map(([path]) => path),
    replacing: replacing.length > 0 ? replacing : (keys ?? []),
  };
}

/** Of what is no object, none. */
export function valuesOf(inputs: unknown): Values {
  return isObject(inputs) ? inputs : {};
}

/** The names of the cluster's machines, also of those that go or come. */
export function machinesOf(steps: readonly Step[]): string[] {
  return steps.filter(({ type }) => type === "kubewright:host:Host").map(({ name }) => name.replace(/-host$/, ""));
}

/** The machine or node that a step is about; what belongs to none is of the `cluster`. */
export function machineOf({ name, found, wanted }: Step, machines: readonly string[]): string {
  const node = wanted.node ?? found.node;
  if (typeof node === "string") return node;
  const connection = isObject(wanted.connection) ? wanted.connection : valuesOf(found.connection);
  if (typeof connection.name === "string") return connection.name;
  const [longest] = machines.filter((machine) => name === machine || name.startsWith(`${machine}-`)).sort((one, other) => other.length - one.length);
  return longest ?? CLUSTER;
}

export const CLUSTER = "cluster";

/** `worker-2` before `worker-10`, and the cluster itself at the end. */
export function byNumber(one: string, other: string): number {
  return Number(one === CLUSTER) - Number(other === CLUSTER) || one.localeCompare(other, "en", { numeric: true });
}
