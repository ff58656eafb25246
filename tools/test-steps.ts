import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../common/project-root";
import { run } from "../common/process";
import { hiddenFolder } from "../cli/engine/paths";
import { takeSummary, type StepResult } from "./test-summary";

export const STEPS = ["typecheck", "lint", "unit", "integration", "e2e"] as const;
export type Step = (typeof STEPS)[number];

const TOOLS: Partial<Record<Step, string[]>> = {
  typecheck: [join("typescript", "bin", "tsc"), "--noEmit"],
  lint: [join("eslint", "bin", "eslint.js"), ".", "--max-warnings", "0"],
};

/** Runs one step with its output on the screen. `names` choose test files. */
export async function runStep(step: Step, names: readonly string[] = []): Promise<StepResult> {
  process.stdout.write(`\n── ${step}\n`);
  const start = Date.now();
  const tool = TOOLS[step];
  const result = tool ? await check(tool) : await tests(step, names);
  return { name: step, seconds: (Date.now() - start) / 1000, ...result };
}

type Outcome = Omit<StepResult, "name" | "seconds">;

/** A tool that fails counts as one failure, so that the closing line never says 0 of a red run. */
async function check([tool = "", ...args]: string[]): Promise<Outcome> {
  const ok = await succeeds(tool, args);
  return { ok, passed: 0, failed: ok ? 0 : 1, skipped: [] };
}

async function tests(project: Step, names: readonly string[]): Promise<Outcome> {
  mkdirSync(hiddenFolder(), { recursive: true });
  const file = join(hiddenFolder(), `tests-${project}-${process.pid}.json`);
  const reporters = [
    project === "e2e" ? "verbose" : "default",
    join(projectRoot(), "tests", "support", "summary-reporter.ts"),
  ];
  const args = ["run", "--project", project, ...reporters.map((reporter) => `--reporter=${reporter}`), ...names];
  const ok = await succeeds(join("vitest", "vitest.mjs"), args, { KUBEWRIGHT_TEST_SUMMARY: file });
  const summary = takeSummary(file) ?? { passed: 0, failed: 1, skipped: [] };
  return { ...summary, ok, failed: ok ? summary.failed : Math.max(summary.failed, 1) };
}

async function succeeds(tool: string, args: readonly string[], env: Record<string, string> = {}): Promise<boolean> {
  const program = join(projectRoot(), "node_modules", tool);
  const { exitCode } = await run(process.execPath, [program, ...args], {
    cwd: projectRoot(),
    env,
    stdio: ["ignore", "inherit", "inherit"],
    reject: false,
  });
  return exitCode === 0;
}
