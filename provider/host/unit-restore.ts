import type { TextFiles } from "../../contracts/files";
import { quote } from "../../common/quote";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { describeChangedFiles } from "./changed-lines";
import { removeFiles, textFiles, writeFiles } from "./files";
import { putBack } from "./put-back";
import { waitUntilUnitHealthy, type UnitToProve } from "./unit-health";

interface FailedUnit {
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
  { inputs, before, obsolete, error }: FailedUnit,
): Promise<Error | undefined> {
  const { unit, files } = inputs;
  const changes = describeChangedFiles(before, files);
  if (changes === "") return undefined;
  const restore = async () => {
    const step = `restoring ${unit}`;
    const created = Object.keys(files).filter((path) => !(path in before) && !(path in obsolete));
    await removeFiles(machine, created, step, context.signal);
    await writeFiles(machine, textFiles(before), step, context.signal);
    const name = quote(unit);
    const script = `systemctl daemon-reload\nsystemctl reset-failed ${name} || true\nsystemctl restart ${name}`;
    await machine.run(script, { step, signal: context.signal });
    await waitUntilUnitHealthy(context, machine, inputs);
  };
  return await putBack(context, machine, { name: unit, error, changes, restore });
}
