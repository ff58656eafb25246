import { differencesOf, type Difference } from "./differences";
import { listed, namedPath } from "./disruptions";
import { componentOf, whyOf } from "./machine-outcome";
import { messageOf } from "./messages";
import { labelOfStep, type Step } from "./step";

/** Resources that only record or check something: their changes affect no machine. */
const SILENT = ["Roster", "Preflight"];

/** Describes the planned change of one resource; the diff of a text has several lines. */
export function changesOf(step: Step): string[] {
  const { op, kind } = step;
  if (SILENT.includes(kind)) return [];
  if (op === "create") return [LIFECYCLE[kind]?.created(step) ?? `${labelOfStep(step)} is created`];
  if (op === "delete")
    return kind === "Artifacts" ? [] : [LIFECYCLE[kind]?.removed(step) ?? `${labelOfStep(step)} is removed`];
  if (op === "replace") return [`${labelOfStep(step)} is replaced, because ${whyOf(step)}`];
  const differences = differencesOf(step);
  return [
    ...differences.filter(({ of }) => of !== "restart").map((one) => describe(step, one)),
    ...restartsOf(step, differences),
  ];
}

function describe(step: Step, difference: Difference): string {
  if (difference.of !== "property") return messageOf(difference, "plan");
  const path = namedPath(step, difference.path);
  return `${path === difference.path ? `${labelOfStep(step)}: ` : ""}${messageOf({ ...difference, path }, "plan")}`;
}

interface Lifecycle {
  created: (step: Step) => string;
  removed: (step: Step) => string;
}

const LIFECYCLE: Readonly<Record<string, Lifecycle>> = {
  Unit: {
    created: ({ desired }) => `${String(desired.unit)} is installed and started`,
    removed: ({ current }) => `${String(current.unit)} is stopped and removed`,
  },
  StaticPod: {
    created: (step) => `static pod ${componentOf(step) ?? step.name} is started`,
    removed: (step) => `static pod ${componentOf(step) ?? step.name} is stopped and removed`,
  },
  Files: {
    created: ({ desired }) => `${filesAre(desired.files)} written`,
    removed: ({ current }) => `${filesAre(current.files)} removed`,
  },
  Binaries: {
    created: ({ desired }) => `${filesAre(desired.files)} copied`,
    removed: ({ current }) => `${filesAre(current.files)} removed`,
  },
  Images: { created: () => "images are loaded", removed: () => "images are removed" },
  Node: {
    created: ({ desired }) => `${String(desired.node)} becomes Ready, with its labels and taints`,
    removed: ({ current }) => `${String(current.node)} is drained and leaves the cluster`,
  },
  Join: {
    created: () => "the machine becomes a member of the cluster, unless it is one already",
    removed: () => "the machine leaves the cluster",
  },
  ControlPlane: {
    created: () => "flags and certificate of its control plane are managed; only components that differ restart",
    removed: () => "flags and certificate of its control plane are no longer managed",
  },
  ClusterConfiguration: {
    created: () => "the ConfigMaps kubeadm-config and kube-proxy are managed; they change only where they differ",
    removed: () => "the ConfigMaps kubeadm-config and kube-proxy are no longer managed",
  },
  Endpoint: {
    created: ({ desired }) =>
      `the pods of kube-proxy and flannel, and later joins, use ${String(desired.endpoint)}; ` +
      "the pods are replaced if they use another address",
    removed: () => "the API server's address in the cluster is no longer managed",
  },
  DaemonSetRollout: {
    created: ({ desired }) =>
      `pods of ${String(desired.daemonSet)} that have another revision are replaced: one first, then the others`,
    removed: ({ current }) => `pods of ${String(current.daemonSet)} are no longer replaced when its revision changes`,
  },
  Artifacts: {
    created: ({ desired }) =>
      `binaries and images of Kubernetes ${String(desired.kubernetes)} are taken from the cache, downloaded or built`,
    removed: () => "",
  },
};

function filesAre(files: unknown): string {
  const names = typeof files === "object" && files !== null ? Object.keys(files) : [];
  return names.length === 0 ? "files are" : `${listed(names)} ${names.length === 1 ? "is" : "are"}`;
}

/**
 * Describes the restart of a unit, a static pod or a worker's kubelet, with its reasons: changed files, changed
 * dependencies, problems.
 */
export function restartsOf(step: Step, differences: readonly Difference[]): string[] {
  if (step.kind === "Join") return kubeletRestart(step);
  const isPod = step.kind === "StaticPod";
  if (!isPod && (step.kind !== "Unit" || step.desired.running !== true)) return [];
  const reasons = [
    ...(differences.some(({ of }) => of === "file") ? ["its files change"] : []),
    ...(isPod && differences.some(isOfManifest) ? ["its manifest changes"] : []),
    ...differences.flatMap((difference) => reasonOf(step, difference)),
  ];
  const what = isPod ? `static pod ${componentOf(step) ?? step.name}` : String(step.desired.unit);
  const verb = differences.every((difference) => needsReload(step, difference)) ? "is reloaded" : "restarts";
  return reasons.length === 0 ? [] : [`${what} ${verb}, because ${listed(reasons)}`];
}

function kubeletRestart({ paths, desired }: Step): string[] {
  const endpoint = typeof desired.endpoint === "string" && paths.includes("endpoint") ? desired.endpoint : undefined;
  return endpoint === undefined ? [] : [`the kubelet restarts and then uses ${endpoint}; its pods keep running`];
}

/** Whether a unit reads the changed file again when it is reloaded. */
function needsReload({ desired }: Step, difference: Difference): boolean {
  const reloadable = Array.isArray(desired.reloadable) ? desired.reloadable : [];
  return difference.of === "file" && reloadable.includes(difference.path);
}

function isOfManifest(difference: Difference): boolean {
  return difference.of === "property" && difference.path.startsWith("manifest");
}

function reasonOf({ desired }: Step, difference: Difference): string[] {
  if (difference.of === "restart")
    return [`${difference.cause === "binary" ? "its binary" : difference.cause} changes`];
  if (difference.of === "problem") return [`it is ${difference.problem}`];
  if (difference.of !== "property" || !(difference.path in desired)) return [];
  if (difference.path === "files") return ["its files may change"];
  return difference.path === "restartOn" ? ["its binary may change"] : [];
}
