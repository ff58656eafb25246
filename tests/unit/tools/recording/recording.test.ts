import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { main } from "../../../../tools/recording";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-recording-"));
  writeFileSync(join(folder, "run.cast"), '{"version": 2, "width": 80, "height": 24}\n[0, "o", "$ npm start"]\n');
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

test("draws a recording, and prints how large the file is", async () => {
  const output = join(folder, "run.svg");
  expect(await main([join(folder, "run.cast"), "--output", output, "--title", "A run"])).toBe(0);
  const svg = readFileSync(output, "utf8");
  expect(svg).toContain(">A run</title>");
  expect(process.stdout.write).toHaveBeenCalledWith(`${output}: ${Buffer.byteLength(svg)} bytes\n`);
});

test.each([
  ["without a file to write", [], /--output are required/],
  ["with a speed in words", ["--output", "/dev/null", "--speed", "fast"], /--speed must be a number above 0/],
  ["with a speed of 0", ["--output", "/dev/null", "--speed", "0"], /--speed must be a number above 0/],
])("refuses to draw %s", async (_, args, message) => {
  await expect(main([join(folder, "run.cast"), ...args])).rejects.toThrow(message);
});
