import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../common/project-root";
import { run } from "../common/process";
import { hiddenFolder } from "../cli/engine/paths";
import { runLinters } from "./lint";
import { takeSummary, type StepResult } from "./test-summary";

/** The steps of `npm test`, in their order. */
export const STEPS = ["typecheck", "lint", "unit", "integration", "e2e"] as const;
export type Step = (typeof STEPS)[number] | "e2e-extended";

/** Runs a step with its output on the terminal. The filters choose test files by a part of their path. */
export async function runStep(step: Step, filters: readonly string[] = []): Promise<StepResult> {
  process.stdout.write(`\n── ${step}\n`);
  const start = Date.now();
  const result = await outcomeOf(step, filters);
  const seconds = (Date.now() - start) / 1000;
  return { name: step, seconds, ...result };
}

type Outcome = Omit<StepResult, "name" | "seconds">;

async function outcomeOf(step: Step, filters: readonly string[]): Promise<Outcome> {
  if (step === "typecheck") return checks((await succeeds(join("typescript", "bin", "tsc"), ["--noEmit"])) ? 0 : 1);
  if (step === "lint") return checks(await runLinters());
  return await runTests(step, filters);
}

/** Each failed tool counts as a failure, so that the closing line of a red run never says "0 failed". */
function checks(failed: number): Outcome {
  return { ok: failed === 0, passed: 0, failed, failures: [], skipped: [], suites: [] };
}

async function runTests(project: Step, filters: readonly string[]): Promise<Outcome> {
  mkdirSync(hiddenFolder(), { recursive: true });
  const file = join(hiddenFolder(), `tests-${project}-${process.pid}.json`);
  const reporters = [
    project.startsWith("e2e") ? "verbose" : "default",
    join(projectRoot(), "tests", "support", "summary-reporter.ts"),
  ];
  const args = ["run", "--project", project, ...reporters.map((reporter) => `--reporter=${reporter}`), ...filters];
  const ok = await succeeds(join("vitest", "vitest.mjs"), args, { KUBEWRIGHT_TEST_SUMMARY: file });
  const summary = takeSummary(file) ?? { passed: 0, failed: 1, failures: [], skipped: [], suites: [] };
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
