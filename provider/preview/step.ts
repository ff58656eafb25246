import { isObject } from "../rpc/values";

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

/** `Unit` of `kubewright:host:Unit` */
export function kindOf(type: string): string {
  return type.split(":").pop() ?? "";
}

/** `Unit worker-1-kubelet` */
export function labelOfStep({ kind, name }: Pick<Step, "kind" | "name">): string {
  return `${kind} ${name}`;
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
  const [longest] = machines
    .filter((machine) => name === machine || name.startsWith(`${machine}-`))
    .sort((one, other) => other.length - one.length);
  return longest ?? CLUSTER;
}

export const CLUSTER = "cluster";

/** `worker-2` before `worker-10`, and the cluster itself at the end. */
export function byNumber(one: string, other: string): number {
  return Number(one === CLUSTER) - Number(other === CLUSTER) || one.localeCompare(other, "en", { numeric: true });
}
