/**
 * `npm run mutation` changes operators in these folders and expects a unit test to fail for each change.
 * `npm run mutation -- --mutate 'render/*.ts'` chooses other files.
 */
export default {
  mutate: [
    "provider/kube/**/*.ts",
    "provider/rpc/**/*.ts",
    "components/config/**/*.ts",
    "render/cidr.ts",
    "common/quote.ts",
  ],
  testRunner: "vitest",
  vitest: { configFile: "tests/mutation.vitest.config.mts" },
  plugins: ["@stryker-mutator/vitest-runner"],
  coverageAnalysis: "perTest",
  ignoreStatic: true, // a static mutant needs a run of all tests
  concurrency: 2,
  timeoutMS: 10_000,
  reporters: ["clear-text", "progress", "html"],
  htmlReporter: { fileName: "reports/mutation.html" },
  clearTextReporter: { logTests: false, allowEmojis: false },
  ignorePatterns: ["dist", ".kubewright", "coverage", "reports"],
  thresholds: { high: 90, low: 80, break: 80 },
};
