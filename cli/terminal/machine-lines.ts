import { byNumber, CLUSTER } from "../../provider/preview/step";
import { formatSeconds, pluralize } from "./text";

/** What the live view shows about a machine, or about the cluster where a resource belongs to no machine. */
export interface MachineRow {
  machine: string;
  state: "busy" | "failed" | "waiting" | "done";
  /** The current step, what the machine waits for, or the result. */
  text: string;
  /** Milliseconds since that began; for a machine that is done, the time that it took. */
  time: number;
}

/** Order in which machines are shown where there is no room for all. */
const ORDER: readonly MachineRow["state"][] = ["busy", "failed", "waiting", "done"];

/**
 * Returns the lines of the live view: one for each machine, below one with the elapsed time.
 * @param elapsed milliseconds since the start of the run
 * @param height most lines; where there are more machines, those at work are shown and the others counted
 */
export function machineLines(all: readonly MachineRow[], elapsed: number, height: number): string[] {
  if (all.length === 0) return [];
  const room = Math.max(height - 1, 0);
  const shown = all.length > room ? mostImportant(all).slice(0, Math.max(room - 1, 0)) : [...all];
  const width = Math.max(...shown.map(({ machine }) => machine.length));
  const lines = shown
    .sort((one, other) => byNumber(one.machine, other.machine))
    .map(({ machine, time, text }) => `  ${machine.padEnd(width)} ${formatSeconds(time).padStart(8)}  ${text}`);
  const hidden = mostImportant(all).slice(shown.length);
  const more = hidden.length > 0 ? [`  and ${hidden.length} more${doneText(hidden)}`] : [];
  return [heading(all, elapsed), ...lines, ...more].slice(0, height);
}

function heading(all: readonly MachineRow[], elapsed: number): string {
  const machines = all.filter(({ machine }) => machine !== CLUSTER);
  const count = machines.length > 0 ? ` ${countDone(machines)} of ${pluralize(machines.length, "machine")} done` : "";
  return `[${formatSeconds(elapsed).padStart(7)}]${count}`;
}

function doneText(rows: readonly MachineRow[]): string {
  const done = countDone(rows);
  return done > 0 ? `, ${done} done` : "";
}

function countDone(rows: readonly MachineRow[]): number {
  return rows.filter(({ state }) => state === "done").length;
}

function mostImportant(rows: readonly MachineRow[]): MachineRow[] {
  return [...rows].sort(
    (one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state) || byNumber(one.machine, other.machine),
  );
}
