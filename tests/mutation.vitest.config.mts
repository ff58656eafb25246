import { defineConfig } from "vitest/config";

/** The unit tests alone, for Stryker, which runs all projects of a configuration. */
export default defineConfig({
  test: { include: ["tests/unit/**/*.test.ts"], exclude: ["tests/unit/hostile/**"], testTimeout: 10_000 },
});
