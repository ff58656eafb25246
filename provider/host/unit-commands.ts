import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import type { Inputs } from "../../contracts/contract";
import type { unitContract } from "../../contracts/host/unit";
import { ConnectionError } from "../ssh/errors";
import type { Remote } from "../ssh/remote";
import { readJournal, unitProblem, type UnitState } from "./systemd";

type UnitInputs = Inputs<typeof unitContract>;

const START_TIMEOUT_SECONDS = 60;

/** @throws StepError with the unit's last messages if systemd does not start it */
export async function runCommands(
  machine: Remote,
  unit: string,
  commands: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const step = `starting ${unit}`;
  const action = `see \`journalctl -u ${unit}\` on the machine`;
  try {
    await machine.run(["set -e", ...commands].join("\n"), { step, signal, timeout: START_TIMEOUT_SECONDS, action });
  } catch (error) {
    if (signal.aborted || !(error instanceof StepError) || error instanceof ConnectionError) throw error;
    const log = await readJournal(machine, unit, signal).catch(() => "");
    throw log === "" ? error : new StepError({ ...error.failure, cause: `${error.failure.cause}:\n${log}` });
  }
}

/** Whether a running unit needs no restart, because it reads all changed files again when it is reloaded. */
export function canReload({ reloadable = [] }: UnitInputs, state: UnitState, written: readonly string[]): boolean {
  return unitProblem(state) === undefined && written.every((path) => reloadable.includes(path));
}

/** Plans the commands from the current to the configured state. `--no-reload` avoids a second, slow daemon-reload. */
export function planCommands(
  inputs: UnitInputs,
  state: UnitState,
  { written, starts, reloads }: { written: boolean; starts: boolean; reloads: boolean },
): string[] {
  const name = quote(inputs.unit);
  return [
    ...(state.masked ? [`systemctl unmask ${name}`] : []),
    ...(inputs.enabled && !state.enabled ? [`systemctl enable --quiet --no-reload ${name}`] : []),
    ...(!inputs.enabled && state.enabled ? [`systemctl disable --quiet --no-reload ${name}`] : []),
    ...(written || state.masked ? ["systemctl daemon-reload"] : []),
    ...(starts && (state.failed || state.crashLooping) ? [`systemctl reset-failed ${name}`] : []),
    ...(starts ? [`systemctl ${reloads ? "reload" : "restart"} ${name}`] : []),
    ...(!inputs.running && state.active ? [`systemctl stop ${name}`] : []),
  ];
}
