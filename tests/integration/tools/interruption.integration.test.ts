import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { hiddenFolder } from "../../../cli/engine/paths";
import { start } from "../../../common/process";
import { projectRoot } from "../../../common/project-root";
import { until } from "../../../common/wait";

mkdirSync(hiddenFolder(), { recursive: true });
const folder = mkdtempSync(join(hiddenFolder(), "interruption-")); // in the project, where vitest finds its packages
afterAll(() => rmSync(folder, { recursive: true }));

const SUITE = `
import { spawn } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { afterAll, test } from "vitest";
const log = (line: string) => appendFileSync("log", line + "\\n");
afterAll(async () => {
  await new Promise((resolve) => setTimeout(resolve, 500));
  log("cleaned");
});
test("waits for a command", async () => {
  const command = spawn("sleep", ["300"]);
  command.on("exit", (_, signal) => log("command " + signal));
  writeFileSync("started", String(process.pid));
  await new Promise(() => undefined);
});
test("does not begin", () => log("second test"));
`;

const support = (name: string) => join(projectRoot(), "tests", "support", name);

test("an interrupted suite ends its commands, begins no further test, cleans up, and leaves no process", async () => {
  writeFileSync(join(folder, "suite.test.ts"), SUITE);
  writeFileSync(
    join(folder, "vitest.config.mts"),
    `export default { test: { setupFiles: [${JSON.stringify(support("interrupted-worker.ts"))}] } };`,
  );
  const vitest = join(projectRoot(), "node_modules", "vitest", "vitest.mjs");
  const reporters = ["default", support("interrupt-reporter.ts")].map((reporter) => `--reporter=${reporter}`);
  const { child } = await start(process.execPath, [vitest, "run", ...reporters], {
    cwd: folder,
    detached: true,
    reject: false,
  });
  await until(async () => existsSync(join(folder, "started")) || undefined, {
    signal: AbortSignal.timeout(60_000),
    timeout: 50,
    onTimeout: () => new Error("the suite did not start"),
  });
  process.kill(-(child.pid ?? 0), "SIGINT");
  await child;
  expect(readFileSync(join(folder, "log"), "utf8").trim().split("\n")).toEqual(["command SIGINT", "cleaned"]);
  const worker = Number(readFileSync(join(folder, "started"), "utf8"));
  expect(() => process.kill(worker, 0)).toThrow("ESRCH");
});
