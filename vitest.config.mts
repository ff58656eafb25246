import { defineConfig } from "vitest/config";

const MINUTE = 60_000;

/** Three projects, run one after the other by tools/test.ts: quick ones first. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["tests/unit/**/*.test.ts"], testTimeout: 10_000 } },
      {
        test: {
          name: "integration",
          include: ["tests/integration/**/*.test.ts"],
          testTimeout: MINUTE,
          hookTimeout: 5 * MINUTE,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["tests/e2e/**/*.e2e.ts"],
          globalSetup: ["tests/e2e/global-setup.ts"],
          // One after the other: the machine has two cores, and each suite wants them.
          fileParallelism: false,
          disableConsoleIntercept: true, // minutes pass in a test: what goes on is shown at once
          testTimeout: 20 * MINUTE,
          hookTimeout: 20 * MINUTE,
        },
      },
    ],
  },
});
