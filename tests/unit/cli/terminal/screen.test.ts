import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openScreen, type Screen, type Size } from "../../../../cli/terminal/screen";
import { FakeTerminal } from "./fake-terminal";

const REDRAW_MS = 100;
let terminal: FakeTerminal;
let screen: Screen;
beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubEnv("TERM", "xterm");
  vi.stubEnv("CI", "");
  terminal = new FakeTerminal(20, 6);
  screen = await openScreen(terminal.stream);
});
afterEach(() => {
  screen.close();
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** Shows lines until they are replaced. */
function show(...lines: string[]): void {
  screen.show(() => lines);
}

test("a terminal shows live lines below the lines that stay, cut to its width", () => {
  show("a live line that is longer than the terminal");
  screen.line("a line that stays although it is longer than the terminal");
  expect(screen.live).toBe(true);
  expect(terminal.lines).toEqual([
    "a line that stays al",
    "though it is longer",
    "than the terminal",
    "a live line that i…",
  ]);
});

test("an error in the middle stays above the live lines, and the live lines are removed at the end", () => {
  show("[1 s]", "worker-1", "worker-2");
  screen.line("worker-1 FAILED");
  show("[2 s]", "worker-2");
  expect(terminal.lines).toEqual(["worker-1 FAILED", "[2 s]", "worker-2"]);
  screen.close();
  expect(terminal.lines).toEqual(["worker-1 FAILED"]);
});

test.each([
  ["removed", ["[1 s]", "worker-1", "worker-2"], ["[1 s]", "worker-2"]],
  ["added", ["[1 s]", "worker-2"], ["[1 s]", "worker-1", "worker-2"]],
])("a line that is %s between lines that stay the same leaves no trace", (_, before, after) => {
  show(...before);
  show(...after);
  expect(terminal.lines).toEqual(after);
  screen.line("stays");
  expect(terminal.lines).toEqual(["stays", ...after]);
});

test("the live lines are asked for again with the size that the terminal has then", () => {
  const sizes: Size[] = [];
  screen.show((size) => (sizes.push(size), ["worker-1 waits for worker-2"]));
  expect(terminal.lines).toEqual(["worker-1 waits for…"]);
  terminal.resize(10, 3);
  vi.advanceTimersByTime(REDRAW_MS);
  expect(terminal.lines).toEqual(["worker-1…"]);
  terminal.resize(40, 30);
  vi.advanceTimersByTime(REDRAW_MS);
  expect(terminal.lines).toEqual(["worker-1 waits for worker-2"]);
  expect(sizes).toEqual([
    { columns: 20, rows: 5 },
    { columns: 10, rows: 2 },
    { columns: 40, rows: 29 },
  ]);
});

test.each([
  ["TERM", "dumb"],
  ["CI", "true"],
])("with %s=%s every line is plain", async (name, value) => {
  vi.stubEnv(name, value);
  const plain = await openScreen(terminal.stream);
  plain.show(() => ["live"]);
  plain.line("stays");
  plain.close();
  expect(plain.live).toBe(false);
  expect(terminal.lines).toEqual(["stays"]);
});
