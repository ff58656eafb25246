import type { PlannedChange, DescribeChange } from "../rpc/pending-notes";
import { changesOf } from "./changes";
import { disruptionsOfOne, sentenceOf } from "./disruptions";
import { outcomeOf } from "./machine-outcome";
import { kindOf, machineOf, type Step } from "./step";

/**
 * Environment variable with which the commands, which print a plan of the whole run, switch off the notes of single
 * resources.
 */
export const NO_PREVIEW_NOTES = "KUBEWRIGHT_OWN_WORDS";

/**
 * Returns the notes of one resource for plain `pulumi preview`: those of `npm run preview`, as far as one resource
 * determines them.
 */
export const previewNotes: DescribeChange = (change) => {
  const step = stepOf(change);
  const { machine } = step;
  const disruptions = disruptionsOfOne(outcomeOf(machine, [step]));
  return { disruptions: disruptions.map(sentenceOf), changes: changesOf(step) };
};

function stepOf(change: PlannedChange): Step & { machine: string } {
  const { urn, type, name, replaced, current, desired, paths, replacing } = change;
  const kind = kindOf(type);
  const op = replaced ? "replace" : "update";
  const step: Step = { op, urn, kind, type, name, current, desired, paths, replacing };
  return { ...step, machine: kind === "Machine" ? name : machineOf(step, []) };
}
