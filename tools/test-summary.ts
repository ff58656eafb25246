import { readFileSync, rmSync } from "node:fs";

/** What a vitest run leaves behind for us. */
export interface Summary {
  passed: number;
  failed: number;
  skipped: Skipped[];
}

export interface Skipped {
  name: string;
  reason: string;
}

export interface StepResult extends Summary {
  name: string;
  seconds: number;
  ok: boolean;
}

/** Reads and removes it; undefined when the run broke before it was written. */
export function takeSummary(file: string): Summary | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Summary;
  } catch {
    return undefined;
  } finally {
    rmSync(file, { force: true });
  }
}

/** The end of `npm test`: what ran, how long, what was skipped and why; the last line is for machines. */
export function renderSummary(results: readonly StepResult[], notRun: readonly string[]): string {
  const skipped = results.flatMap((result) => result.skipped.map((one) => `  skipped  ${one.name}: ${one.reason}`));
  return [
    "",
    ...results.map(row),
    ...notRun.map((name) => `  not run  ${name}`),
    ...skipped,
    "",
    closingLine(results),
    "",
  ].join("\n");
}

function row({ name, seconds, ok, passed, failed, skipped }: StepResult): string {
  const counts = [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
  ].join(", ");
  return `  ${ok ? "ok      " : "FAILED  "} ${name.padEnd(12)} ${seconds.toFixed(1).padStart(7)} s   ${passed + failed + skipped.length > 0 ? counts : ""}`.trimEnd();
}

function closingLine(results: readonly StepResult[]): string {
  const sum = (count: (result: StepResult) => number) => results.reduce((total, result) => total + count(result), 0);
  return `${sum((one) => one.passed)} passed, ${sum((one) => one.failed)} failed, ${sum((one) => one.skipped.length)} skipped`;
}
