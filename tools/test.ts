import { StepError } from "../common/errors";
import { suitesOf } from "./e2e-suites";
import { STEPS, runStep, type Step } from "./test-steps";
import { renderSummary, type StepResult } from "./test-summary";

/** `npm test`: all steps, the fast ones first. `npm test -- lint unit`: some of them. */
export async function main(args: readonly string[]): Promise<number> {
  if (args.length > 0) return await runSteps(args.map(stepNamed));
  return await runSteps(
    STEPS,
    [],
    [`e2e/extended (run \`npm run e2e -- all\`): ${suitesOf("e2e-extended").join(", ")}`],
  );
}

/**
 * Runs the steps and prints the summary. A failed step does not stop the next ones, so that one run shows all failures;
 * only the end-to-end suites are not started when tests or the typecheck failed.
 */
export async function runSteps(
  steps: readonly Step[],
  filters: readonly string[] = [],
  excluded: readonly string[] = [],
): Promise<number> {
  const results: StepResult[] = [];
  const notRun: string[] = [];
  for (const step of steps) {
    const broken = results.some((result) => !result.ok && !["lint", "e2e"].includes(result.name));
    if (results.some((result) => result.interrupted)) notRun.push(`${step} (interrupted)`);
    else if (step.startsWith("e2e") && broken) notRun.push(`${step} (an earlier step failed)`);
    else results.push(await runStep(step, filters));
  }
  process.stdout.write(renderSummary(results, [...notRun, ...excluded]));
  return results.every((result) => result.ok) ? 0 : 1;
}

function stepNamed(name: string): Step {
  const step = STEPS.find((known) => known === name);
  if (step) return step;
  throw new StepError({
    step: "reading the command line",
    cause: `unknown step "${name}"`,
    action: `use one of ${STEPS.join(", ")}`,
  });
}
