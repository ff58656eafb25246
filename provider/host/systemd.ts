import { quote } from "../../common/quote";
import { sha256Schema } from "../../contracts/files";
import { SUM } from "./files";
import type { Remote } from "../ssh/remote";

export interface UnitState {
  active: boolean;
  enabled: boolean;
  masked: boolean;
  failed: boolean;
  /** What the unit waits for is there. */
  startable: boolean;
}

/** The SHA-256 of the program that a unit runs, which need not be the file that lies in its place now; undefined where it runs none. */
export async function runningProgram(machine: Remote, unit: string, signal: AbortSignal): Promise<string | undefined> {
  const script = `${SUM}
pid=$(systemctl show -p MainPID --value ${quote(unit)})
[ "\${pid:-0}" -gt 0 ] && sum < "/proc/$pid/exe" | cut -d' ' -f1; true`;
  const { stdout } = await machine.read(script, { step: `looking at ${unit}`, signal });
  return sha256Schema.safeParse(stdout.trim()).data;
}

/**
 * What systemd says of a unit (org.freedesktop.systemd1(5)). A unit that does not exist is neither active nor enabled.
 * @param waitsFor a file without which the unit is not to be started
 */
export async function unitState(
  machine: Remote,
  unit: string,
  signal: AbortSignal,
  waitsFor?: string,
): Promise<UnitState> {
  const startable = waitsFor === undefined ? "" : `[ -e ${quote(waitsFor)} ] || echo Startable=no\n`;
  const script = `${startable}systemctl show -p ActiveState,UnitFileState,LoadState ${quote(unit)}`;
  const { stdout } = await machine.read(script, { step: `looking at ${unit}`, signal });
  const values = Object.fromEntries(stdout.split("\n").map((line) => line.split("=", 2) as [string, string]));
  return {
    active: ["active", "activating", "reloading"].includes(values.ActiveState ?? ""),
    enabled: ["enabled", "enabled-runtime", "static"].includes(values.UnitFileState ?? ""),
    masked: values.LoadState === "masked",
    failed: values.ActiveState === "failed",
    startable: values.Startable !== "no",
  };
}
