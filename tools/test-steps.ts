import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../common/project-root";
import { start, stopOnAbort } from "../common/process";
import { hiddenFolder } from "../cli/engine/paths";
import { onInterrupt } from "../cli/terminal/interrupt";
import { runLinters } from "./lint";
import { takeSummary, type StepResult } from "./test-summary";

/** The steps of `npm test`, in their order. */
export const STEPS = ["typecheck", "lint", "unit", "integration", "e2e"] as const;
export type Step = (typeof STEPS)[number] | "e2e-extended";

/** Exit code after Ctrl-C. */
const INTERRUPTED = 130;

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
    ...["summary-reporter.ts", "interrupt-reporter.ts"].map((name) => join(projectRoot(), "tests", "support", name)),
  ];
  const args = ["run", "--project", project, ...reporters.map((reporter) => `--reporter=${reporter}`), ...filters];
  const interrupt = onInterrupt(
    () =>
      process.stdout.write(
        "\nstopping: the suites remove what they created (press Ctrl-C again to stop immediately)\n",
      ),
    () => process.exit(INTERRUPTED),
  );
  const env = { KUBEWRIGHT_TEST_SUMMARY: file };
  const ok = await succeeds(join("vitest", "vitest.mjs"), args, { env, signal: interrupt.signal }).finally(() =>
    interrupt.release(),
  );
  const summary = takeSummary(file) ?? { passed: 0, failed: 1, failures: [], skipped: [], suites: [] };
  const failed = ok ? summary.failed : Math.max(summary.failed, 1);
  return { ...summary, ok, failed, interrupted: interrupt.signal.aborted };
}

interface ToolOptions {
  env?: Record<string, string>;
  /** Interrupts the program and all processes that it started, once. */
  signal?: AbortSignal;
}

/** Runs a program of a package. With a signal it has a process group of its own, which Ctrl-C does not reach. */
async function succeeds(
  tool: string,
  args: readonly string[],
  { env = {}, signal }: ToolOptions = {},
): Promise<boolean> {
  const { child } = await start(process.execPath, [join(projectRoot(), "node_modules", tool), ...args], {
    cwd: projectRoot(),
    env,
    stdio: ["ignore", "inherit", "inherit"],
    reject: false,
    detached: signal !== undefined,
  });
  const { exitCode } = await child.finally(signal ? stopOnAbort(child, "SIGINT", signal) : undefined);
  return exitCode === 0;
}
