import { optional } from "../../common/optional";
import { changesOf, restartsOf } from "../../provider/preview/changes";
import { differencesOf } from "../../provider/preview/differences";
import { disruptionsOf, type Disruption } from "../../provider/preview/disruptions";
import { outcomeOf, type MachineOutcome, type Outcome } from "../../provider/preview/machine-outcome";
import { byNumber, CLUSTER, machineOf, machinesOf } from "../../provider/preview/step";
import type { PreviewResult } from "./run-preview";

/** What a run will change. */
export interface Plan {
  /** Drained nodes, recreated machines and interruptions of the control plane. */
  disruptions: Disruption[];
  machines: MachinePlan[];
  notices: string[];
  counts: Counts;
}

export interface MachinePlan {
  /** `cluster` for resources that belong to no machine. */
  machine: string;
  outcome: Exclude<Outcome, "same">;
  why?: string;
  /** Empty where the whole machine is created or removed. */
  changes: string[];
}

export interface Counts {
  /** Machines, by outcome. */
  created: number;
  recreated: number;
  removed: number;
  changed: number;
  files: number;
  restarts: number;
  drains: number;
  /** Changed resources, including those that affect no machine. */
  resources: number;
}

/** Groups the steps of a preview by machine. */
export function planFrom({ steps, notices }: PreviewResult): Plan {
  const names = machinesOf(steps);
  const owned = steps.map((step) => ({ step, machine: machineOf(step, names) }));
  const outcomes = [...new Set(owned.map(({ machine }) => machine))].sort(byNumber).map((name) =>
    outcomeOf(
      name,
      owned.filter(({ machine }) => machine === name).map(({ step }) => step),
    ),
  );
  const machines = outcomes
    .map(machinePlan)
    .filter(({ outcome, changes }) => outcome !== "changed" || changes.length > 0);
  const changed = machines.filter(({ machine, outcome }) => machine !== CLUSTER && outcome === "changed").length;
  return {
    disruptions: disruptionsOf(outcomes),
    machines: machines.filter((one): one is MachinePlan => one.outcome !== "same"),
    notices,
    counts: { ...countsOf(outcomes), changed },
  };
}

/** Outcomes of a whole machine, which need no list of single changes. */
const WHOLE: readonly Outcome[] = ["created", "joins", "recreated", "rejoins", "removed", "leaves"];
const DRAINED: readonly Outcome[] = ["recreated", "rejoins", "removed", "leaves"];

function machinePlan({ machine, outcome, why, steps }: MachineOutcome) {
  // Two resources may load the same image.
  const changes = WHOLE.includes(outcome) ? [] : [...new Set(steps.flatMap(changesOf))];
  return { machine, outcome, ...optional({ why }), changes };
}

function countsOf(outcomes: readonly MachineOutcome[]): Omit<Counts, "changed"> {
  const machines = outcomes.filter(({ machine }) => machine !== CLUSTER);
  const count = (...which: Outcome[]) => machines.filter(({ outcome }) => which.includes(outcome)).length;
  const updates = machines
    .filter(({ outcome }) => outcome === "changed")
    .flatMap(({ steps }) => steps.filter(({ op }) => op === "update"));
  const files = updates.flatMap(differencesOf).filter(({ of }) => of === "file" || of === "binary" || of === "mode");
  return {
    created: count("created", "joins"),
    recreated: count("recreated", "rejoins"),
    removed: count("removed", "leaves"),
    files: files.length,
    restarts: updates.flatMap((step) => restartsOf(step, differencesOf(step))).length,
    drains: count(...DRAINED),
    resources: outcomes.flatMap(({ steps }) => steps).length,
  };
}
