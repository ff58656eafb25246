import { optional } from "../../common/optional";
import { isObject } from "../rpc/values";
import { valueAt } from "./values";
import { briefly } from "./messages";
import type { Step } from "./step";

/** The planned outcome for a machine as a whole. */
export type Outcome =
  /** A new machine is created, set up and joined. */
  | "created"
  /** An existing machine is set up and joined. */
  | "joins"
  /** The node is drained, and its machine is recreated. */
  | "recreated"
  /** The node is drained, and its machine joins again. */
  | "rejoins"
  /** The node is drained, and its machine is deleted. */
  | "removed"
  /** The node is drained; its machine stays, because it was not created by Kubewright. */
  | "leaves"
  | "changed"
  | "same";

export interface MachineOutcome {
  machine: string;
  outcome: Outcome;
  /** Why the machine is recreated or joins again. */
  why?: string;
  /** Whether the API server or etcd runs on it. */
  isControlPlane: boolean;
  /** Whether the cluster's state is lost with this run: the machine is the one that initialized the cluster. */
  losesCluster: boolean;
  /** The steps that change something. */
  steps: Step[];
}

const KUBEADM_INIT = "kubewright:kubeadm:Init";
export const CONTROL_PLANE = "kubewright:kubeadm:ControlPlane";

/** Determines the outcome from all steps of one machine, including those that change nothing. */
export function outcomeOf(machine: string, steps: readonly Step[]): MachineOutcome {
  const creator = steps.find(isCreator(machine));
  const host = steps.find(({ kind }) => kind === "Host");
  const member = steps.find(({ kind }) => kind === "Join") ?? steps.find(({ kind }) => kind === "Init");
  const node = steps.find(({ kind }) => kind === "Node");
  const cause = [creator, host, member, node].find((step) => step?.op === "replace");
  return {
    machine,
    outcome: combined({ creator, host, member, node }, steps),
    ...optional({ why: cause && whyOf(cause) }),
    isControlPlane: steps.some(isOfControlPlane),
    losesCluster: steps.some((step) => ["replace", "delete"].includes(step.op) && holdsCluster(step)),
    steps: steps.filter(({ op }) => op !== "same"),
  };
}

type Parts = Partial<Record<"creator" | "host" | "member" | "node", Step>>;

function combined({ creator, host, member, node }: Parts, steps: readonly Step[]): Outcome {
  const first = creator ?? host;
  if (first?.op === "create") return creator ? "created" : "joins";
  if (first?.op === "delete") return creator ? "removed" : "leaves";
  if (first?.op === "replace" || host?.op === "replace") return "recreated";
  if (member?.op === "replace" || node?.op === "replace") return "rejoins";
  // An older stack has no Join for the control plane that initialized the cluster, but its node.
  const isNode = node !== undefined && node.op !== "create";
  if (host?.op === "create" || (member?.op === "create" && !isNode)) return "joins";
  return steps.some(({ op }) => op !== "same") ? "changed" : "same";
}

/** The resource that creates a machine has the machine's name, whatever its type. */
function isCreator(machine: string): (step: Step) => boolean {
  return ({ name, type }) => name === machine && !type.startsWith("kubewright:components:");
}

function holdsCluster(step: Step): boolean {
  return step.type === KUBEADM_INIT || componentOf(step) === "etcd";
}

function isOfControlPlane(step: Step): boolean {
  const { document } = { ...step.current, ...step.desired };
  return (
    step.type === KUBEADM_INIT ||
    step.type === CONTROL_PLANE ||
    (isObject(document) && document.controlPlane !== undefined) ||
    componentOf(step) !== undefined
  );
}

const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
export type Component = (typeof COMPONENTS)[number];

/** Returns the control plane component that a resource runs by itself, as a static pod or a unit. */
export function componentOf({ kind, current, desired }: Step): Component | undefined {
  const values = { ...current, ...desired };
  const name =
    kind === "StaticPod"
      ? valueAt(values, "manifest.metadata.name")
      : kind === "Unit"
        ? String(values.unit).replace(/\.service$/, "")
        : undefined;
  return COMPONENTS.find((component) => component === name);
}

/** Returns the reason for a replacement: the property that changed, with its values. */
export function whyOf({ replacing, current, desired }: Step): string {
  const paths = replacing.filter((path) => path !== "id");
  // `pulumi state taint` and `--replace` name no property.
  if (paths.length === 0) return "it is marked for replacement";
  return paths.map((path) => `${path} ${briefly(valueAt(current, path), valueAt(desired, path))}`).join(", ");
}
