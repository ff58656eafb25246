import { expect, test } from "vitest";
import { covered, criticalPath, endedBefore, median } from "../../bench/measure";

const step = (name: string, start: number, end: number) => ({ node: "n", step: name, start, end });

test("the critical path follows what was waited for last", () => {
  const steps = [
    step("copy", 0, 2),
    step("install", 2, 3),
    step("other", 0, 1),
    step("init", 3, 9),
    step("idle", 1, 2),
  ];
  expect(criticalPath(steps, endedBefore(steps)).map((one) => one.step)).toEqual(["copy", "install", "init"]);
});

test("overlapping time counts once", () => {
  expect(covered([step("a", 0, 2), step("b", 1, 3), step("c", 5, 6), step("d", 5, 5.5)])).toBe(4);
});

test("median", () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});
