import type { PlannedChange, DescribeChange } from "../rpc/pending-notes";
import { changesOf } from "./changes";
import { disruptionsOfOne, sentenceOf } from "./disruptions";
import { outlookOf } from "./machine-outcome";
import { kindOf, machineOf, type Step } from "./step";

/** Set by commands that foretell a whole run in words of their own: the provider then has none for each resource. */
export const OWN_WORDS = "KUBEWRIGHT_OWN_WORDS";

/** What plain `pulumi preview` says of one resource: the words of `npm run preview`, as far as one resource tells. */
export const foretell: DescribeChange = (foresight) => {
  const step = stepOf(foresight);
  const { machine } = step;
  const disruptions = disruptionsOfOne(outlookOf(machine, [step]));
  return { disruptions: disruptions.map(sentenceOf), changes: changesOf(step) };
};

function stepOf({
  urn,
  type,
  name,
  replaced,
  found,
  wanted,
  paths,
  replacing,
}: PlannedChange): Step & { machine: string } {
  const kind = kindOf(type);
  const step: Step = { op: replaced ? "replace" : "update", urn, kind, type, name, found, wanted, paths, replacing };
  return { ...step, machine: kind === "Machine" ? name : machineOf(step, []) };
}
