import { printable } from "./printable";

export interface StepFailure {
  /** The step that failed, in the user's terms: `kubeadm join`. */
  step: string;
  /** The machine: `worker-2 (10.0.0.12)`. Absent for work on the controller itself. */
  machine?: string | undefined;
  /** Why it failed: the end of a command's output, a refused connection, a missing file. */
  cause: string;
  /** The user's next action. */
  action?: string | undefined;
}

/** A failure that names the machine, the step, the cause and the next action. */
export class StepError extends Error {
  readonly failure: StepFailure;

  constructor(details: StepFailure) {
    // A cause often contains a machine's output, which must not control the terminal that shows it.
    const failure: StepFailure = { ...details, cause: printable(details.cause) };
    const where = failure.machine ? ` on ${failure.machine}` : "";
    const next = failure.action ? `; ${failure.action}` : "";
    super(`${failure.step} failed${where}: ${failure.cause}${next}`);
    this.failure = failure;
    this.name = "StepError";
  }
}

/** A step that exceeded its deadline. */
export class DeadlineError extends StepError {}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
