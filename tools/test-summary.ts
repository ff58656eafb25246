import { readFileSync, rmSync } from "node:fs";

/** The result of a vitest run, written by tests/support/summary-reporter.ts. */
export interface Summary {
  passed: number;
  failed: number;
  failures: Failure[];
  skipped: Skipped[];
  suites: Suite[];
}

/** A failed test, or a file or hook that failed, with the first line of its error. */
export interface Failure {
  name: string;
  cause: string;
}

export interface Skipped {
  name: string;
  reason: string;
}

/** A test file with its duration, hooks included. */
export interface Suite {
  name: string;
  seconds: number;
}

export interface StepResult extends Summary {
  name: string;
  seconds: number;
  ok: boolean;
  /** The step was ended by Ctrl-C: no further step is run. */
  interrupted?: boolean;
}

/** Reads and removes the file. Returns undefined when the run ended before it wrote the file. */
export function takeSummary(file: string): Summary | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Summary;
  } catch {
    return undefined;
  } finally {
    rmSync(file, { force: true });
  }
}

/** Renders the end of `npm test`: results of the steps, skipped tests, durations. Programs read the last line. */
export function renderSummary(results: readonly StepResult[], notRun: readonly string[]): string {
  const failures = results.flatMap((result) => result.failures.map((one) => `  failed   ${one.name}: ${one.cause}`));
  const skipped = results.flatMap((result) => result.skipped.map((one) => `  skipped  ${one.name}: ${one.reason}`));
  return [
    "",
    ...results.map(stepLine),
    ...notRun.map((name) => `  not run  ${name}`),
    ...skipped,
    "",
    ...durationLines(results),
    "",
    // Close to the end: the first lines of a long output are often cut off.
    ...failures,
    closingLine(results),
    "",
  ].join("\n");
}

function stepLine({ name, seconds, ok, passed, failed, skipped }: StepResult): string {
  const counts = [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
  ];
  const ran = passed + failed + skipped.length > 0;
  const start = `  ${ok ? "ok    " : "FAILED"}   ${name.padEnd(12)} ${seconds.toFixed(1).padStart(7)} s`;
  return ran ? `${start}   ${counts.join(", ")}` : start;
}

/** Lists the seconds of each suite, slowest first. Unit tests count as one suite. */
function durationLines(results: readonly StepResult[]): string[] {
  const suites = results.flatMap((step): Suite[] =>
    step.name === "unit" || step.suites.length === 0 ? [step] : step.suites,
  );
  if (suites.length < 2) return [];
  return [
    "  Seconds of each suite, slowest first:",
    ...[...suites]
      .sort((a, b) => b.seconds - a.seconds)
      .map(({ name, seconds }) => `  ${seconds.toFixed(1).padStart(8)}  ${name}`),
  ];
}

function closingLine(results: readonly StepResult[]): string {
  const sum = (count: (result: StepResult) => number) => results.reduce((total, result) => total + count(result), 0);
  const [passed, failed] = [sum((one) => one.passed), sum((one) => one.failed)];
  return `${passed} passed, ${failed} failed, ${sum((one) => one.skipped.length)} skipped`;
}
