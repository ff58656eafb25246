import { StepError, messageOf } from "../../common/errors";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

export interface FailedChange {
  /** What did not become healthy: `kubelet.service`. */
  name: string;
  error: unknown;
  /** The changed files with their changed lines. */
  changes: string;
  /** Restores the previous state and proves it healthy. */
  restore: () => Promise<void>;
  /** Waits for what the outage has left behind. Called when the change is withdrawn; rejects on Ctrl-C only. */
  settle?: (() => Promise<void>) | undefined;
  /** The user's next action. @default correct the configuration */
  action?: string;
}

/**
 * Restores what was there before a change that did not become healthy. Withdraws the change from the state, so that the
 * next preview shows it as still to come.
 * @returns the error to report; undefined if the previous state does not become healthy either
 */
export async function putBack(
  context: Context,
  machine: Remote,
  {
    name,
    error,
    changes,
    restore,
    settle,
    action = "correct the configuration, then run `pulumi up` again",
  }: FailedChange,
): Promise<Error | undefined> {
  const step = `restoring ${name}`;
  context.status(`restoring the previous files of ${name}`);
  try {
    await restore();
  } catch (failure) {
    context.signal.throwIfAborted();
    context.warn(`${name} was not restored: ${messageOf(failure)}`);
    return undefined;
  }
  context.undo();
  await settle?.();
  const changedFiles = changes === "" ? "" : `The changed files:\n${changes}\n`;
  const { cause, step: failedStep } = error instanceof StepError ? error.failure : { cause: messageOf(error), step };
  return new StepError({
    step: failedStep,
    machine: machine.label,
    cause: `${cause}\n${changedFiles}The previous files were restored, and ${name} is healthy again`,
    action,
  });
}
