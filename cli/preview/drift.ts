import type { Stack } from "@pulumi/pulumi/automation";
import { printable } from "../../common/printable";
import { byNumber, labelOfStep, machineOf, machinesOf } from "../../provider/preview/step";
import { driftWords } from "./drift-text";
import type { Session } from "../engine/operate";
import { foresee } from "./run-preview";

/** One resource that is not as configured. */
export interface Drift {
  /** The machine or node; what belongs to none is of the `cluster`. */
  machine: string;
  /** `Unit worker-1-kubelet` */
  resource: string;
  /** What was found, in the words of an operator. */
  found: string[];
}

export interface DriftReport {
  drift: Drift[];
  /** What was noticed on the way: machines that could not be looked at, or were rebooted. */
  notices: string[];
  /** Whether every machine could be looked at. */
  complete: boolean;
}

/** Characters of a report. */
const LONGEST = 1 << 20;
const NOT_LOOKED_AT = "not looked at";

/** What an `up` with refresh would mend: every machine is looked at, which takes seconds, and nothing is changed. */
export async function driftReport(stack: Stack, session: Session): Promise<DriftReport> {
  const { steps, notices } = await foresee(stack, session, { refresh: true });
  const machines = machinesOf(steps);
  const drift = steps
    .filter(({ op }) => op !== "same")
    .map((step): Drift => ({
      machine: machineOf(step, machines),
      resource: labelOfStep(step),
      found: driftWords(step),
    }));
  return { drift, notices, complete: !notices.some((notice) => notice.startsWith(NOT_LOOKED_AT)) };
}

/** The resources' names alone. */
export async function driftOf(stack: Stack, session: Session): Promise<string[]> {
  return (await driftReport(stack, session)).drift.map(({ resource }) => resource);
}

/** By machine, for people. */
export function driftText({ drift, notices }: DriftReport): string {
  const machines = [...new Set(drift.map(({ machine }) => machine))].sort(byNumber);
  const lines = machines.flatMap((machine) => [
    machine,
    ...drift.filter((one) => one.machine === machine).flatMap(({ found }) => found.map((what) => `  ${what}`)),
    "",
  ]);
  const verdict =
    drift.length === 0
      ? "no drift: all that could be looked at is as configured"
      : "`npm start -- --refresh` mends this, and restarts only what it must";
  // File contents of machines are among the lines.
  return printable(
    `${[...notices.map((notice) => `note: ${notice}`), ...(notices.length > 0 ? [""] : []), ...lines, verdict].join("\n")}\n`,
    LONGEST,
  );
}
