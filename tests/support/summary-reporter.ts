import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule } from "vitest/node";
import type { Skipped, Summary } from "../../tools/test-summary";

/** Leaves in the file that KUBEWRIGHT_TEST_SUMMARY names what tools/test.ts adds up: counts, and why tests were skipped. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env.KUBEWRIGHT_TEST_SUMMARY;
    if (file) writeFileSync(file, JSON.stringify(summaryOf(modules, unhandled.length)));
  }
}

function summaryOf(modules: readonly TestModule[], unhandled: number): Summary {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (state: string) => tests.filter((test) => test.result().state === state);
  // A test that never ended is no success; a file or hook that broke has tests that nobody ran.
  return {
    passed: inState("passed").length,
    failed: inState("failed").length + inState("pending").length + brokenOnes(modules) + unhandled,
    skipped: inState("skipped").map((test): Skipped => {
      const result = test.result();
      return { name: test.fullName, reason: (result.state === "skipped" && result.note) || "no reason is given" };
    }),
  };
}

function brokenOnes(modules: readonly TestModule[]): number {
  const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  return suites.filter((suite) => suite.errors().length > 0).length;
}
