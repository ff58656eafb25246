import { isObject } from "../rpc/values";

export type Values = Record<string, unknown>;
export type Op = "same" | "create" | "update" | "replace" | "delete";

/** The planned change of one resource. */
export interface Step {
  op: Op;
  urn: string;
  /** Last part of the type: `Unit`. */
  kind: string;
  type: string;
  /** Logical name of the resource. */
  name: string;
  /** Inputs that describe the current state. */
  current: Values;
  /** Configured inputs. */
  desired: Values;
  /** Paths of the differing properties, as the provider reports them. */
  paths: string[];
  /** Paths or properties that require a replacement. */
  replacing: string[];
}

/** Returns the kind of a type: `Unit` for `kubewright:host:Unit`. */
export function kindOf(type: string): string {
  return type.split(":").pop() ?? "";
}

/** Returns the kind and name of a resource: `Unit worker-1-kubelet`. */
export function labelOfStep({ kind, name }: Pick<Step, "kind" | "name">): string {
  return `${kind} ${name}`;
}

/** Returns an object as it is, and an empty one for any other value. */
export function valuesOf(inputs: unknown): Values {
  return isObject(inputs) ? inputs : {};
}

/** Names of the cluster's machines, including those that are created or removed. */
export function machinesOf(steps: readonly Step[]): string[] {
  return steps.filter(({ type }) => type === "kubewright:host:Host").map(({ name }) => name.replace(/-host$/, ""));
}

/** Returns the machine or node of a step; {@link CLUSTER} for resources that belong to no machine. */
export function machineOf({ name, current, desired }: Step, machines: readonly string[]): string {
  const node = desired.node ?? current.node;
  if (typeof node === "string") return node;
  const connection = isObject(desired.connection) ? desired.connection : valuesOf(current.connection);
  if (typeof connection.name === "string") return connection.name;
  const [longest] = machines
    .filter((machine) => name === machine || name.startsWith(`${machine}-`))
    .sort((one, other) => other.length - one.length);
  return longest ?? CLUSTER;
}

export const CLUSTER = "cluster";

/** Sorts `worker-2` before `worker-10`, and the cluster last. */
export function byNumber(one: string, other: string): number {
  return Number(one === CLUSTER) - Number(other === CLUSTER) || one.localeCompare(other, "en", { numeric: true });
}
