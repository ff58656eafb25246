import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

const MINUTE = 60_000;

/** Options of both end-to-end projects. */
const E2E = {
  globalSetup: ["tests/e2e/global-setup.ts"],
  setupFiles: ["tests/support/interrupted-worker.ts"],
  // Two cores run one suite at a time.
  fileParallelism: false,
  disableConsoleIntercept: true, // tests take minutes: show their output while they run
  testTimeout: 20 * MINUTE,
  hookTimeout: 20 * MINUTE,
};

/** `npm test` runs unit, integration and e2e in this order (tools/test.ts). `npm run e2e -- all` adds e2e-extended. */
const providerFolders = readdirSync("provider", { withFileTypes: true }).filter((entry) => entry.isDirectory());

export default defineConfig({
  test: {
    // vitest leaves one processor free otherwise; on two, files then run one after the other. Some only wait.
    maxWorkers: "100%",
    // `npm run coverage` measures the unit tests.
    coverage: {
      provider: "v8",
      include: ["{artifacts,cli,common,components,contracts,provider,render,sdk}/**/*.ts"],
      reporter: ["text", "json-summary"],
      thresholds: {
        lines: 75,
        ...Object.fromEntries(providerFolders.map(({ name }) => [`provider/${name}/**/*.ts`, { lines: 50 }])),
      },
    },
    projects: [
      { test: { name: "unit", include: ["tests/unit/**/*.test.ts"], testTimeout: 10_000 } },
      {
        test: {
          name: "integration",
          include: ["tests/integration/**/*.test.ts"],
          setupFiles: ["tests/support/interrupted-worker.ts"],
          testTimeout: MINUTE,
          hookTimeout: 5 * MINUTE,
        },
      },
      { test: { name: "e2e", include: ["tests/e2e/*.e2e.ts"], ...E2E } },
      { test: { name: "e2e-extended", include: ["tests/e2e/extended/*.e2e.ts"], ...E2E } },
    ],
  },
});
