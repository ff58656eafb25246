import { labelOf } from "../text";
import { type Difference, differencesOf } from "./differences";
import { disruptionsOf, type Disruption, listed, namedPath } from "./disruptions";
import { type Fate, type Outlook, componentOf, outlookOf, whyOf } from "./fates";
import { byNumber, CLUSTER, type Foreseen, machineOf, machinesOf, type Step } from "./step";
import { sayingOf } from "./vocabulary";

/** What a run would do, in the words of an operator. */
export interface Plan {
  /** Said first: what drains a node, makes a machine anew, or interrupts the control plane. */
  disruptions: Disruption[];
  machines: MachinePlan[];
  notices: string[];
  counts: Counts;
}

export interface MachinePlan {
  /** `cluster`: what belongs to no machine. */
  machine: string;
  fate: Exclude<Fate, "same">;
  why?: string;
  /** Empty where the whole machine comes or goes. */
  changes: string[];
}

export interface Counts {
  /** Machines, by what becomes of them. */
  made: number;
  rebuilt: number;
  removed: number;
  changed: number;
  files: number;
  restarts: number;
  drains: number;
  /** Resources that are other than before, also those that are only ours to remember. */
  resources: number;
}

export function planFrom({ steps, notices }: Foreseen): Plan {
  const names = machinesOf(steps);
  const owned = steps.map((step) => ({ step, machine: machineOf(step, names) }));
  const machinesAndCluster = [...new Set(owned.map(({ machine }) => machine))].sort(byNumber);
  const outlooks = machinesAndCluster.map((name) => outlookOf(name, owned.filter(({ machine }) => machine === name).map(({ step }) => step)));
  const machines = outlooks.map(machinePlan).filter(({ fate, changes }) => fate !== "changed" || changes.length > 0);
  const changed = machines.filter(({ machine, fate }) => machine !== CLUSTER && fate === "changed").length;
  return { disruptions: disruptionsOf(outlooks), machines: machines.filter((one): one is MachinePlan => one.fate !== "same"), notices, counts: { ...countsOf(outlooks), changed } };
}

const WHOLE: readonly Fate[] = ["made", "joins", "rebuilt", "rejoins", "removed", "leaves"];
const DRAINED: readonly Fate[] = ["rebuilt", "rejoins", "removed", "leaves"];

function machinePlan({ machine, fate, why, steps }: Outlook) {
  const changes = WHOLE.includes(fate) ? [] : [...new Set(steps.flatMap(wordsOf))]; // two resources may load one image
  return { machine, fate, ...(why === undefined ? {} : { why }), changes };
}

/** What we only remember, or look at again. */
const SILENT = ["Roster", "Preflight"];

function wordsOf(step: Step): string[] {
  const { op, kind, urn } = step;
  if (SILENT.includes(kind)) return [];
  if (op === "create") return [WHOLE_THINGS[kind]?.made(step) ?? `${labelOf(urn)} is made`];
  if (op === "delete") return kind === "Artifacts" ? [] : [WHOLE_THINGS[kind]?.removed(step) ?? `${labelOf(urn)} is removed`];
  if (op === "replace") return [`${labelOf(urn)} is made anew, because ${whyOf(step)}`];
  const differences = differencesOf(step);
  return [...differences.filter(({ of }) => of !== "cause").map((one) => said(step, one)), ...restartWords(step, differences)];
}

function said(step: Step, difference: Difference): string {
  if (difference.of !== "property") return sayingOf(difference, "coming");
  const path = namedPath(step, difference.path);
  return `${path === difference.path ? `${labelOf(step.urn)}: ` : ""}${sayingOf({ ...difference, path }, "coming")}`;
}

const WHOLE_THINGS: Readonly<Record<string, { made: (step: Step) => string; removed: (step: Step) => string }>> = {
  Unit: { made: ({ wanted }) => `${String(wanted.unit)} is installed and started`, removed: ({ found }) => `${String(found.unit)} is stopped and removed` },
  StaticPod: { made: (step) => `the pod ${componentOf(step) ?? step.name} is started`, removed: (step) => `the pod ${componentOf(step) ?? step.name} is stopped and removed` },
  Files: { made: ({ wanted }) => `${paths(wanted.files)} written`, removed: ({ found }) => `${paths(found.files)} removed` },
  Binaries: { made: ({ wanted }) => `${paths(wanted.files)} copied`, removed: ({ found }) => `${paths(found.files)} removed` },
  Images: { made: () => "its images are loaded", removed: () => "its images are removed" },
  Node: { made: ({ wanted }) => `${String(wanted.node)} becomes Ready, with its labels and taints`, removed: ({ found }) => `${String(found.node)} is drained and leaves` },
  Artifacts: { made: ({ wanted }) => `binaries and images of Kubernetes ${String(wanted.kubernetes)} are taken from the cache, else fetched or built`, removed: () => "" },
};

function paths(files: unknown): string {
  const names = typeof files === "object" && files !== null ? Object.keys(files) : [];
  return names.length === 0 ? "its files are" : `${listed(names)} ${names.length === 1 ? "is" : "are"}`;
}

/** A unit is started anew for its files, for what it is told to watch, and where it was found not to run as it should. */
function restartWords(step: Step, differences: readonly Difference[]): string[] {
  const { kind, wanted, name } = step;
  const pod = kind === "StaticPod";
  if (!pod && (kind !== "Unit" || wanted.running !== true)) return [];
  const causes = differences.flatMap((one) => (one.of === "cause" ? [one.cause] : []));
  const reasons = [
    ...(differences.some(({ of }) => of === "file") ? ["its files change"] : []),
    ...(pod && differences.some((one) => one.of === "property" && one.path.startsWith("manifest")) ? ["its manifest changes"] : []),
    ...causes.map((cause) => `${cause === "binary" ? "its program" : cause} is another`),
    ...differences.flatMap((one) => (one.of === "trouble" ? [`it is ${one.trouble}`] : [])),
    ...differences.flatMap((one) => (one.of === "property" && one.path in wanted && /^(files|restartOn)$/.test(one.path) ? [`its ${one.path === "files" ? "files" : "program"} may be another`] : [])),
  ];
  const what = pod ? `the pod ${componentOf(step) ?? name}` : String(wanted.unit);
  return reasons.length === 0 ? [] : [`${what} restarts, because ${listed(reasons)}`];
}

function countsOf(outlooks: readonly Outlook[]): Omit<Counts, "changed"> {
  const machines = outlooks.filter(({ machine }) => machine !== CLUSTER);
  const withFate = (...fates: Fate[]) => machines.filter(({ fate }) => fates.includes(fate)).length;
  const updates = machines.filter(({ fate }) => fate === "changed").flatMap(({ steps }) => steps.filter(({ op }) => op === "update"));
  const files = updates.flatMap(differencesOf).filter(({ of }) => of === "file" || of === "binary" || of === "mode");
  return {
    made: withFate("made", "joins"),
    rebuilt: withFate("rebuilt", "rejoins"),
    removed: withFate("removed", "leaves"),
    files: files.length,
    restarts: updates.flatMap((step) => restartWords(step, differencesOf(step))).length,
    drains: withFate(...DRAINED),
    resources: outlooks.flatMap(({ steps }) => steps).length,
  };
}
