import type { Writable } from "node:stream";
import { isQuiet, isVerbose } from "./output-mode";

const REDRAW_MS = 100;

/** Room for live lines. The last row of the terminal is the cursor's. */
export interface Size {
  columns: number;
  rows: number;
}

/** Progress output: lines that stay and, on a terminal, a few live lines below them that are redrawn. */
export interface Screen {
  readonly live: boolean;
  line(text: string): void;
  /** Sets the function that returns the live lines; it is called at every redraw. */
  show(current: (size: Size) => readonly string[]): void;
  close(): void;
}

/** Opens the screen of a command on stderr: stdout is for the command's result. */
export async function openScreen(stream: NodeJS.WriteStream = process.stderr): Promise<Screen> {
  if (isQuiet()) return plainScreen({ write: () => true });
  const isPlain = isVerbose() || process.env.TERM === "dumb" || process.env.CI === "true";
  return stream.isTTY && !isPlain ? await liveScreen(stream) : plainScreen(stream);
}

export function plainScreen(stream: Pick<Writable, "write">): Screen {
  return { live: false, line: (text) => void stream.write(`${text}\n`), show: () => undefined, close: () => undefined };
}

async function liveScreen(stream: NodeJS.WriteStream): Promise<Screen> {
  const { createLogUpdate } = await import("log-update");
  // The cursor stays visible: a command that is killed could not bring it back.
  const update = createLogUpdate(stream, { showCursor: true });
  let current: (size: Size) => readonly string[] = () => [];
  let height = 0;
  const draw = () => {
    const size = { columns: stream.columns || 80, rows: Math.max((stream.rows || 24) - 1, 0) };
    const lines = current(size).map((line) => truncate(line, size.columns));
    if (lines.length !== height) update.clear(); // log-update (7.2) misplaces lines below one that is added or removed
    if (lines.length > 0) update(lines.join("\n"));
    height = lines.length;
  };
  const timer = setInterval(draw, REDRAW_MS).unref();
  return {
    live: true,
    line: (text) => {
      update.clear(); // `persist` would cut text that is longer than the terminal
      stream.write(`${text}\n`);
      draw();
    },
    show: (lines) => {
      current = lines;
      draw();
    },
    close: () => {
      clearInterval(timer);
      current = () => [];
      draw();
    },
  };
}

/** Shortens a line to one row of the terminal: wrapped lines would push the others out of view. */
function truncate(line: string, columns: number): string {
  return line.length < columns ? line : `${line.slice(0, Math.max(columns - 2, 0))}…`;
}
