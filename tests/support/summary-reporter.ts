import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from "vitest/node";
import type { Failure, Skipped, Suite, Summary } from "../../tools/test-summary";

/** Writes counts, skip reasons and durations for tools/test.ts into the file that KUBEWRIGHT_TEST_SUMMARY names. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env.KUBEWRIGHT_TEST_SUMMARY;
    if (file) writeFileSync(file, JSON.stringify(summarize(modules, unhandled.length)));
  }
}

function summarize(modules: readonly TestModule[], unhandled: number): Summary {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (state: string) => tests.filter((test) => test.result().state === state);
  return {
    passed: inState("passed").length,
    // A pending test never ended. If a file or hook failed to load or run, its tests have no result.
    failed: inState("failed").length + inState("pending").length + brokenSuites(modules).length + unhandled,
    failures: [
      ...inState("failed").map(toFailure),
      ...inState("pending").map((test) => ({ name: test.fullName, cause: "it did not end" })),
      ...brokenSuites(modules).map((suite) => ({
        name: "fullName" in suite ? suite.fullName : suite.relativeModuleId,
        cause: firstLine(suite.errors()[0]?.message),
      })),
    ],
    skipped: inState("skipped").map((test): Skipped => {
      const result = test.result();
      return { name: test.fullName, reason: (result.state === "skipped" && result.note) || "no reason is given" };
    }),
    suites: modules.map(toSuite),
  };
}

function toSuite(module: TestModule): Suite {
  const { collectDuration, duration, setupDuration } = module.diagnostic();
  const name = module.relativeModuleId.replace(/^tests\//, "").replace(/\.(integration\.test|e2e|test)\.ts$/, "");
  return { name, seconds: (collectDuration + setupDuration + duration) / 1000 };
}

function brokenSuites(modules: readonly TestModule[]): (TestModule | TestSuite)[] {
  const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  return suites.filter((suite) => suite.errors().length > 0);
}

function toFailure(test: TestCase): Failure {
  return {
    name: `${test.module.relativeModuleId} > ${test.fullName}`,
    cause: firstLine(test.result().errors?.[0]?.message),
  };
}

function firstLine(message = "no error was reported"): string {
  return message.split("\n", 1).join("");
}
