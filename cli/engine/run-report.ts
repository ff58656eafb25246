import { commandFailure, mergeFailures } from "../terminal/engine-errors";
import { stackCommand } from "../terminal/options";
import { progressText, type MachineProgress } from "./run-record";

/** What is known about a run that did not finish. */
export interface UnfinishedRun {
  stack: string;
  progress: readonly MachineProgress[];
  /** Errors that the engine reported. */
  failures: readonly string[];
  /** What is wrong with the cluster itself, and explains the errors. */
  reason?: string | undefined;
}

/** Report of a run that the user interrupted. */
export function interruptionReport({ stack, progress }: UnfinishedRun): string {
  const lines = hasBegun(progress) ? ["", ...progressText(progress)] : [];
  const next = `stopped; ${continueHint(stack)}, \`${stackCommand("down", stack)}\` deletes everything`;
  return `${[...lines, "", next].join("\n")}\n`;
}

/** Report of a run that failed: its errors, the progress of each machine, and how to continue. */
export function failureReport({ stack, progress, failures, reason }: UnfinishedRun, error: unknown): string {
  const isShown = hasBegun(progress);
  const reported = isShown ? progress.flatMap((machine) => machine.failures) : [];
  const others = mergeFailures(
    (failures.length > 0 ? failures : [commandFailure(error)]).filter((one) => !reported.includes(one)),
  );
  const heading = others.length > 1 ? [`${others.length} errors:`] : [];
  const errors = [...heading, ...others.map((failure) => `✗ ${failure}`)];
  const machines = isShown
    ? [...progressText(progress), "", `${continueHint(stack)}: finished steps are not repeated`]
    : [];
  const reasons = reason === undefined ? [] : ["", reason];
  return `\n${[...errors, ...(errors.length > 0 && isShown ? [""] : []), ...machines, ...reasons].join("\n")}\n`;
}

function hasBegun(progress: readonly MachineProgress[]): boolean {
  return progress.some(({ state }) => state !== "not started");
}

function continueHint(stack: string): string {
  return `\`${stackCommand("up", stack)}\` continues from here`;
}
