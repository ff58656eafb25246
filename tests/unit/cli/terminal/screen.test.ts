import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openScreen } from "../../../../cli/terminal/screen";

let written: string;
let stream: NodeJS.WriteStream;
beforeEach(() => {
  written = "";
  stream = Object.assign(new PassThrough(), { isTTY: true, columns: 20, rows: 24 }) as unknown as NodeJS.WriteStream;
  stream.on("data", (data: Buffer) => (written += data.toString()));
  vi.stubEnv("TERM", "xterm");
  vi.stubEnv("CI", "");
});
afterEach(() => vi.unstubAllEnvs());

test("a terminal shows live lines below the lines that stay, cut to its width", async () => {
  const screen = await openScreen(stream);
  screen.show(() => ["a live line that is longer than the terminal"]);
  screen.line("a line that stays although it is longer than the terminal");
  screen.close();
  expect(screen.live).toBe(true);
  expect(written).toContain("a live line that i…");
  expect(written).toContain("a line that stays although it is longer than the terminal\n");
  expect(written.lastIndexOf("a line that stays")).toBeLessThan(written.lastIndexOf("a live line"));
});

test.each([
  ["TERM", "dumb"],
  ["CI", "true"],
])("with %s=%s every line is plain", async (name, value) => {
  vi.stubEnv(name, value);
  const screen = await openScreen(stream);
  screen.show(() => ["live"]);
  screen.line("stays");
  screen.close();
  expect(screen.live).toBe(false);
  expect(written).toBe("stays\n");
});
