import { describe, expect, test } from "vitest";
import { renderSummary, type StepResult } from "../../../tools/test-summary";

const step = (name: string, over: Partial<StepResult> = {}): StepResult => ({
  name,
  seconds: 1.5,
  ok: true,
  passed: 0,
  failed: 0,
  failures: [],
  skipped: [],
  suites: [],
  ...over,
});

describe("renderSummary", () => {
  const results = [
    step("lint"),
    step("unit", { passed: 10, seconds: 30, suites: [{ name: "unit/a", seconds: 20 }] }),
    step("e2e", {
      ok: false,
      passed: 2,
      failed: 1,
      failures: [{ name: "a > c", cause: "expected 1 to be 2" }],
      skipped: [{ name: "a > b", reason: "no plugin" }],
      suites: [
        { name: "e2e/workers", seconds: 61.24 },
        { name: "e2e/cluster", seconds: 300 },
      ],
    }),
  ];
  const lines = renderSummary(results, ["e2e/extended: scale"]).trimEnd().split("\n");

  test("ends with the counts alone on the last line", () => {
    expect(lines.at(-1)).toBe("12 passed, 1 failed, 1 skipped");
  });

  test("names the failed tests directly above the counts", () => {
    expect(lines.at(-2)).toBe("  failed   a > c: expected 1 to be 2");
  });

  test("lists steps, skipped tests and steps that did not run", () => {
    expect(lines.find((line) => line.includes("FAILED"))).toMatch(/e2e +1\.5 s +2 passed, 1 failed, 1 skipped/);
    expect(lines).toContain("  skipped  a > b: no plugin");
    expect(lines).toContain("  not run  e2e/extended: scale");
  });

  test("lists the seconds of each suite, slowest first, with the unit tests as one suite", () => {
    const start = lines.findIndex((line) => line.includes("slowest first"));
    expect(lines.slice(start + 1, -3)).toEqual([
      "     300.0  e2e/cluster",
      "      61.2  e2e/workers",
      "      30.0  unit",
      "       1.5  lint",
    ]);
  });
});
