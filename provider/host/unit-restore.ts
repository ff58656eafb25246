import type { TextFiles } from "../../contracts/files";
import { optional } from "../../common/optional";
import { quote } from "../../common/quote";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { describeChangedFiles } from "./changed-lines";
import { removeFiles, textFiles, writeFiles } from "./files";
import { readKeptProgram, restoreProgram } from "./kept-program";
import { putBack } from "./put-back";

interface FailedUnit {
  unit: string;
  files: TextFiles;
  /** The files as they were before the change. */
  before: TextFiles;
  /** Files that the change removed. */
  obsolete: TextFiles;
  /** Whether the unit started at boot before the change. */
  wasEnabled: boolean;
  error: unknown;
  /** Proves the restarted unit healthy. */
  prove: () => Promise<void>;
  /** Waits for what the outage has left behind, once the change is withdrawn. */
  settle?: (() => Promise<void>) | undefined;
  /** The user's next action. @default correct the configuration */
  action?: string | undefined;
}

/**
 * Restores the files and the program of a unit that did not become healthy after a change, restarts it with them and
 * proves it healthy.
 * @returns the error to report; undefined if nothing changed or the previous files do not work either
 */
export async function restoreUnit(
  context: Context,
  machine: Remote,
  { unit, files, before, obsolete, wasEnabled, error, prove, settle, action }: FailedUnit,
): Promise<Error | undefined> {
  const { signal } = context;
  const program = await readKeptProgram(machine, unit, signal).catch(() => undefined);
  const changedFiles = describeChangedFiles(before, files);
  const changes = [changedFiles, program === undefined ? "" : `${program} (the program)`].filter(Boolean).join("\n");
  if (changes === "") return undefined;
  const restore = async () => {
    const step = `restoring ${unit}`;
    const created = Object.keys(files).filter((path) => !(path in before) && !(path in obsolete));
    await removeFiles(machine, created, step, signal);
    await writeFiles(machine, textFiles(before), step, signal);
    if (program !== undefined) await restoreProgram(machine, unit, signal);
    const name = quote(unit);
    const script = [
      `systemctl ${wasEnabled ? "enable" : "disable"} --quiet --no-reload ${name}`,
      "systemctl daemon-reload",
      `systemctl reset-failed ${name} || true`,
      `systemctl restart ${name}`,
    ];
    await machine.run(script.join("\n"), { step, signal });
    await prove();
  };
  return await putBack(context, machine, { name: unit, error, changes, restore, settle, ...optional({ action }) });
}
