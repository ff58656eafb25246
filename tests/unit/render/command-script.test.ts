import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { run } from "../../../common/process";
import { RUN_SCRIPT, scriptWithEnvironment } from "../../../render/command-script";

const folder = mkdtempSync(join(tmpdir(), "kubewright-script-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script as @pulumi/command does: the user's shell runs the command line, and the script is its input. */
async function runScript(script: string, environment: Record<string, string> = {}) {
  const input = scriptWithEnvironment(script, environment);
  const env = { ...process.env, TMPDIR: folder };
  return run("sh", ["-c", RUN_SCRIPT], { input, env, reject: false });
}

test("environment variables reach the script as they are", async () => {
  const value = `it's "$HOME" \`x\`\nand more`;
  const { stdout } = await runScript('printf %s "$TOKEN"', { TOKEN: value });
  expect(stdout).toBe(value);
});

test("the exit code is that of the script, and an error ends it", async () => {
  expect((await runScript("exit 7")).exitCode).toBe(7);
  const failed = await runScript("false\necho after");
  expect([failed.exitCode, failed.stdout]).toEqual([1, ""]);
});

test("only the script's user can read it, and no file stays", async () => {
  const { stdout } = await runScript('stat -c %a "$0"');
  expect(stdout).toBe("600");
  expect(readdirSync(folder)).toEqual([]);
});

test("a program that reads its input does not swallow the rest of the script", async () => {
  expect((await runScript("cat\necho after")).stdout).toBe("after");
});
