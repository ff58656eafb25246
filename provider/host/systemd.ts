import { sha256Schema } from "../../contracts/files";
import { quote } from "../../common/quote";
import type { Remote } from "../ssh/remote";
import { SUM } from "./files";
import { SEARCHED_LINES, chooseErrors } from "./log-lines";

/** State of a systemd unit (org.freedesktop.systemd1(5)). A unit that does not exist is neither active nor enabled. */
export interface UnitState {
  active: boolean;
  enabled: boolean;
  masked: boolean;
  failed: boolean;
  /** systemd restarts the unit again and again, because it keeps exiting. */
  crashLooping: boolean;
  /** A process runs, in contrast to a finished one-shot, a socket or a mount. */
  hasProcess: boolean;
  /** Identifies the current start of the unit; empty if it never started. */
  invocation: string;
  /** The file that the unit needs to start exists. */
  startable: boolean;
}

/** A unit with this many automatic restarts that started less than `SETTLED_SECONDS` ago is crash-looping. */
const RESTARTS = 3;
const SETTLED_SECONDS = 30;

const PROPERTIES = [
  ...["ActiveState", "SubState", "UnitFileState", "LoadState"],
  ...["NRestarts", "InvocationID", "ActiveEnterTimestampMonotonic"],
].join(",");

/**
 * Reads the state of a unit.
 * @param requiredFile path of a file without which the unit must not be started
 */
export async function readUnitState(
  machine: Remote,
  unit: string,
  signal: AbortSignal,
  requiredFile?: string,
): Promise<UnitState> {
  const startable = requiredFile === undefined ? "" : `[ -e ${quote(requiredFile)} ] || echo Startable=no\n`;
  const uptime = "echo Uptime=$(cut -d' ' -f1 /proc/uptime)";
  const script = `${startable}${uptime}\nsystemctl show -p ${PROPERTIES} ${quote(unit)}`;
  const { stdout } = await machine.read(script, { step: `reading the state of ${unit}`, signal });
  return parseUnitState(stdout);
}

/** Parses the output of `systemctl show`, with `Startable` and `Uptime` added. */
export function parseUnitState(output: string): UnitState {
  const values = Object.fromEntries(output.split("\n").map((line) => line.split("=", 2) as [string, string]));
  const { ActiveState = "", SubState = "", UnitFileState = "", LoadState = "" } = values;
  return {
    active: ["active", "activating", "reloading"].includes(ActiveState) && SubState !== "auto-restart",
    enabled: ["enabled", "enabled-runtime", "static"].includes(UnitFileState),
    masked: LoadState === "masked",
    failed: ActiveState === "failed",
    crashLooping: SubState === "auto-restart" || hasRestartedRecently(values),
    hasProcess: SubState === "running",
    invocation: values.InvocationID ?? "",
    startable: values.Startable !== "no",
  };
}

function hasRestartedRecently({ NRestarts, Uptime, ActiveEnterTimestampMonotonic }: Record<string, string>): boolean {
  const activeSeconds = Number(Uptime) - Number(ActiveEnterTimestampMonotonic) / 1e6;
  return Number(NRestarts) >= RESTARTS && activeSeconds < SETTLED_SECONDS;
}

/** Returns why a unit that should run is unhealthy, in systemd's terms; undefined if it is healthy. */
export function unitProblem(state: UnitState): string | undefined {
  if (state.masked) return "masked";
  if (state.crashLooping) return "crash-looping";
  if (state.failed) return "failed";
  return state.active ? undefined : "not running";
}

/**
 * Returns the SHA-256 of the program that a unit runs, which may differ from the file on disk; undefined if none
 * runs.
 */
export async function hashRunningProgram(
  machine: Remote,
  unit: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const script = `${SUM}
pid=$(systemctl show -p MainPID --value ${quote(unit)})
[ "\${pid:-0}" -gt 0 ] && sum < "/proc/$pid/exe" | cut -d' ' -f1; true`;
  const { stdout } = await machine.read(script, { step: `reading the program of ${unit}`, signal });
  return sha256Schema.safeParse(stdout.trim()).data;
}

/** Returns the last errors that the unit's own processes logged, or systemd's messages about it if they logged none. */
export async function readJournal(machine: Remote, unit: string, signal: AbortSignal): Promise<string> {
  const options = `-n ${SEARCHED_LINES} --no-pager -o cat -q 2>/dev/null`;
  const script = `invocation=$(systemctl show -p InvocationID --value ${quote(unit)})
lines=$(journalctl _SYSTEMD_UNIT=${quote(unit)} _SYSTEMD_INVOCATION_ID="$invocation" ${options})
[ -n "$lines" ] || lines=$(journalctl _SYSTEMD_UNIT=${quote(unit)} ${options} | tail -n 50)
[ -n "$lines" ] || lines=$(journalctl -u ${quote(unit)} ${options} | tail -n 5)
echo "$lines"`;
  const { stdout } = await machine.read(script, { step: `reading the journal of ${unit}`, signal });
  return chooseErrors(stdout).join("\n");
}
