import { printable } from "./printable";

export interface StepFailure {
  /** What was being done, in the user's words: `kubeadm join`. */
  step: string;
  /** Where: `worker-2 (10.0.0.12)`. Absent for work on the controller itself. */
  machine?: string;
  /** Why it failed: the last words of the command, a refused connection, a missing file. */
  cause: string;
  /** What the person does next. */
  action?: string;
}

/** A failure that names the machine, the step, the cause and the next action. */
export class StepError extends Error {
  readonly failure: StepFailure;

  constructor(given: StepFailure) {
    // A cause is often a machine's own words: data, which must not steer the terminal that shows it.
    const failure: StepFailure = { ...given, cause: printable(given.cause) };
    const where = failure.machine ? ` on ${failure.machine}` : "";
    const next = failure.action ? `; ${failure.action}` : "";
    super(`${failure.step} failed${where}: ${failure.cause}${next}`);
    this.failure = failure;
    this.name = "StepError";
  }
}

/** A step that did not end within the time that it had. */
export class DeadlineError extends StepError {}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
