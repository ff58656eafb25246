import { changesOf, restartsOf } from "../../provider/preview/changes";
import { differencesOf } from "../../provider/preview/differences";
import { disruptionsOf, type Disruption } from "../../provider/preview/disruptions";
import { type Fate, type Outlook, outlookOf } from "../../provider/preview/machine-outcome";
import { byNumber, CLUSTER, machineOf, machinesOf } from "../../provider/preview/step";
import type { Foreseen } from "./run-preview";

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
  const outlooks = machinesAndCluster.map((name) =>
    outlookOf(
      name,
      owned.filter(({ machine }) => machine === name).map(({ step }) => step),
    ),
  );
  const machines = outlooks.map(machinePlan).filter(({ fate, changes }) => fate !== "changed" || changes.length > 0);
  const changed = machines.filter(({ machine, fate }) => machine !== CLUSTER && fate === "changed").length;
  return {
    disruptions: disruptionsOf(outlooks),
    machines: machines.filter((one): one is MachinePlan => one.fate !== "same"),
    notices,
    counts: { ...countsOf(outlooks), changed },
  };
}

const WHOLE: readonly Fate[] = ["made", "joins", "rebuilt", "rejoins", "removed", "leaves"];
const DRAINED: readonly Fate[] = ["rebuilt", "rejoins", "removed", "leaves"];

function machinePlan({ machine, fate, why, steps }: Outlook) {
  const changes = WHOLE.includes(fate) ? [] : [...new Set(steps.flatMap(changesOf))]; // two resources may load one image
  return { machine, fate, ...(why === undefined ? {} : { why }), changes };
}

function countsOf(outlooks: readonly Outlook[]): Omit<Counts, "changed"> {
  const machines = outlooks.filter(({ machine }) => machine !== CLUSTER);
  const withFate = (...fates: Fate[]) => machines.filter(({ fate }) => fates.includes(fate)).length;
  const updates = machines
    .filter(({ fate }) => fate === "changed")
    .flatMap(({ steps }) => steps.filter(({ op }) => op === "update"));
  const files = updates.flatMap(differencesOf).filter(({ of }) => of === "file" || of === "binary" || of === "mode");
  return {
    made: withFate("made", "joins"),
    rebuilt: withFate("rebuilt", "rejoins"),
    removed: withFate("removed", "leaves"),
    files: files.length,
    restarts: updates.flatMap((step) => restartsOf(step, differencesOf(step))).length,
    drains: withFate(...DRAINED),
    resources: outlooks.flatMap(({ steps }) => steps).length,
  };
}
