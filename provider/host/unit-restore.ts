import type { TextFiles } from "../../contracts/files";
import { StepError, messageOf } from "../../common/errors";
import { quote } from "../../common/quote";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { describeChangedFiles } from "./changed-lines";
import { removeFiles, textFiles, writeFiles } from "./files";
import { waitUntilUnitHealthy, type UnitToProve } from "./unit-health";

interface FailedChange {
  inputs: UnitToProve & { files: TextFiles };
  /** The files as they were before the change. */
  before: TextFiles;
  /** Files that the change removed. */
  obsolete: TextFiles;
  error: unknown;
}

/**
 * Restores the files of a unit that did not become healthy after a change, restarts it with them and proves it healthy.
 * @returns the error to report; undefined if no file changed or the previous files do not work either
 */
export async function restoreUnit(
  context: Context,
  machine: Remote,
  { inputs, before, obsolete, error }: FailedChange,
): Promise<Error | undefined> {
  const { unit, files } = inputs;
  const changes = describeChangedFiles(before, files);
  if (changes === "") return undefined;
  context.status(`restoring the previous files of ${unit}`);
  const step = `restoring ${unit}`;
  try {
    const created = Object.keys(files).filter((path) => !(path in before) && !(path in obsolete));
    await removeFiles(machine, created, step, context.signal);
    await writeFiles(machine, textFiles(before), step, context.signal);
    const name = quote(unit);
    const script = `systemctl daemon-reload\nsystemctl reset-failed ${name} || true\nsystemctl restart ${name}`;
    await machine.run(script, { step, signal: context.signal });
    await waitUntilUnitHealthy(context, machine, inputs);
  } catch (failure) {
    context.signal.throwIfAborted();
    context.warn(`${unit} was not restored: ${messageOf(failure)}`);
    return undefined;
  }
  const { cause, step: failedStep } = error instanceof StepError ? error.failure : { cause: messageOf(error), step };
  return new StepError({
    step: failedStep,
    machine: machine.label,
    cause: `${cause}\nThe changed files:\n${changes}\nThe previous files were restored, and ${unit} is healthy again`,
    action: "correct the configuration, then run `pulumi up` again",
  });
}
