import type { Cast } from "./cast";
import { Terminal } from "./terminal";

/** What a row of the screen shows from a time on: seconds since the beginning of the recording. */
export interface RowText {
  time: number;
  text: string;
}

/**
 * Plays a recording. Returns for each row of the screen what it shows, and from when on.
 * @param interval seconds in which at most one change of a row is shown: the last one
 */
export function rowsOf({ columns, rows, output }: Cast, interval: number): RowText[][] {
  const terminal = new Terminal(columns, rows);
  const shown: RowText[][] = [];
  output.forEach(({ time, text }, index) => {
    terminal.write(text);
    const next = output[index + 1];
    if (next && slotOf(next.time, interval) === slotOf(time, interval)) return;
    recordChanges(shown, terminal.visible, slotOf(time, interval) * interval);
  });
  return shown;
}

function slotOf(time: number, interval: number): number {
  return Math.floor(time / interval);
}

function recordChanges(shown: RowText[][], lines: readonly string[], time: number): void {
  for (let row = 0; row < Math.max(shown.length, lines.length); row += 1) {
    const changes = (shown[row] ??= [{ time: 0, text: "" }]);
    const text = lines[row] ?? "";
    if (changes.at(-1)?.text === text) continue;
    if (changes.at(-1)?.time === time) changes.pop();
    changes.push({ time, text });
  }
}
