import { expect, test } from "vitest";
import { renderSummary, type StepResult } from "../../../tools/test-summary";

const step = (name: string, over: Partial<StepResult> = {}): StepResult => ({
  name,
  seconds: 1.5,
  ok: true,
  passed: 0,
  failed: 0,
  skipped: [],
  ...over,
});

test("ends with the counts alone on the last line", () => {
  const results = [
    step("lint"),
    step("unit", { passed: 10 }),
    step("e2e", { ok: false, passed: 2, failed: 1, skipped: [{ name: "a > b", reason: "no plugin" }] }),
  ];
  const lines = renderSummary(results, ["bench (not asked for)"]).trimEnd().split("\n");
  expect(lines.at(-1)).toBe("12 passed, 1 failed, 1 skipped");
  expect(lines).toContain("  skipped  a > b: no plugin");
  expect(lines.find((line) => line.includes("e2e"))).toMatch(/FAILED +e2e +1\.5 s +2 passed, 1 failed, 1 skipped/);
});
