import { StepError } from "../common/errors";
import { STEPS, runStep, type Step } from "./test-steps";
import { renderSummary, type StepResult } from "./test-summary";

/** `npm test`: everything, quick things first; `npm test -- lint unit` runs some. */
export async function main(args: readonly string[]): Promise<number> {
  const steps = args.length > 0 ? args.map(stepNamed) : [...STEPS];
  return await runSteps(steps);
}

/** All of them run, also after a failure, so that a person sees everything that is wrong; only e2e is not tried on broken code. */
export async function runSteps(steps: readonly Step[], names: readonly string[] = []): Promise<number> {
  const results: StepResult[] = [];
  const notRun: string[] = [];
  for (const step of steps) {
    const broken = results.some((result) => !result.ok && result.name !== "lint");
    if (step === "e2e" && broken) notRun.push("e2e (what comes before it failed)");
    else results.push(await runStep(step, names));
  }
  process.stdout.write(renderSummary(results, notRun));
  return results.every((result) => result.ok) ? 0 : 1;
}

function stepNamed(name: string): Step {
  const step = STEPS.find((known) => known === name);
  if (step) return step;
  throw new StepError({
    step: "reading the command line",
    cause: `there is no step "${name}"`,
    action: `known are ${STEPS.join(", ")}`,
  });
}
