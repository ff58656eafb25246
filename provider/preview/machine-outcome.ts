import { isObject } from "../rpc/values";
import { valueAt } from "./differences";
import type { Step } from "./step";
import { briefly } from "./messages";

/** What becomes of a machine as a whole. */
export type Fate =
  /** Made, or made ours, and a member. */
  | "made"
  | "joins"
  /** Drained, and made anew. */
  | "rebuilt"
  /** Drained, and a member anew on the machine that it has. */
  | "rejoins"
  /** Drained, and gone; `leaves`: a machine that is not ours stays. */
  | "removed"
  | "leaves"
  | "changed"
  | "same";

export interface Outlook {
  machine: string;
  fate: Fate;
  /** Why it is made anew, or joins again. */
  why?: string;
  /** Where the API server or etcd run. */
  isControlPlane: boolean;
  /** The cluster's state goes with it: this is where it began. */
  isOrigin: boolean;
  steps: Step[];
}

const KUBEADM_INIT = "kubewright:kubeadm:Init";

/** From all steps of one machine, those that change nothing among them. */
export function outlookOf(machine: string, steps: readonly Step[]): Outlook {
  const maker = steps.find(isMaker(machine));
  const host = steps.find(({ kind }) => kind === "Host");
  const member = steps.find(({ kind }) => kind === "Init" || kind === "Join");
  const node = steps.find(({ kind }) => kind === "Node");
  const fate = fateOf({ maker, host, member, node }, steps);
  const cause = [maker, host, member, node].find((step) => step?.op === "replace");
  return {
    machine,
    fate,
    ...(cause ? { why: whyOf(cause) } : {}),
    isControlPlane: steps.some(isOfControlPlane),
    isOrigin:
      steps.some(({ type, op }) => type === KUBEADM_INIT && (op === "replace" || op === "delete")) ||
      steps.some((step) => componentOf(step) === "etcd" && ["replace", "delete"].includes(step.op)),
    steps: steps.filter(({ op }) => op !== "same"),
  };
}

type Parts = Partial<Record<"maker" | "host" | "member" | "node", Step>>;

function fateOf({ maker, host, member, node }: Parts, steps: readonly Step[]): Fate {
  const first = maker ?? host;
  if (first?.op === "create") return maker ? "made" : "joins";
  if (first?.op === "delete") return maker ? "removed" : "leaves";
  if (first?.op === "replace" || host?.op === "replace") return "rebuilt";
  if (member?.op === "replace" || node?.op === "replace") return "rejoins";
  if (host?.op === "create" || member?.op === "create") return "joins";
  return steps.some(({ op }) => op !== "same") ? "changed" : "same";
}

/** What makes a machine has its name, whichever kind it is of. */
function isMaker(machine: string): (step: Step) => boolean {
  return ({ name, type }) => name === machine && !type.startsWith("kubewright:components:");
}

function isOfControlPlane(step: Step): boolean {
  const { document } = { ...step.found, ...step.wanted };
  return (
    step.type === KUBEADM_INIT ||
    (isObject(document) && document.controlPlane !== undefined) ||
    componentOf(step) !== undefined
  );
}

const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
export type Component = (typeof COMPONENTS)[number];

/** Where each component is a thing of its own: a pod of the kubelet's folder, or a unit. */
export function componentOf({ kind, found, wanted }: Step): Component | undefined {
  const values = { ...found, ...wanted };
  const name =
    kind === "StaticPod"
      ? valueAt(values, "manifest.metadata.name")
      : kind === "Unit"
        ? String(values.unit).replace(/\.service$/, "")
        : undefined;
  return COMPONENTS.find((component) => component === name);
}

/** The property at which it begins. */
export function whyOf({ replacing, found, wanted }: Step): string {
  const told = replacing.filter((path) => path !== "id");
  // Marked in the state, or named by --replace: for no property.
  if (told.length === 0) return "it is marked for that";
  return told.map((path) => `${path} ${briefly(valueAt(found, path), valueAt(wanted, path))}`).join(", ");
}
