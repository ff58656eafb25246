import { expect, test } from "vitest";
import { readPlan } from "../../bench/plan";

test("three control planes are compared only on request", () => {
  expect(readPlan([])).toEqual({ parts: ["cluster", "nodes"], rounds: 3 });
  expect(readPlan(["5"])).toEqual({ parts: ["cluster", "nodes"], rounds: 5 });
  expect(readPlan(["ha", "1"])).toEqual({ parts: ["ha"], rounds: 1 });
  expect(readPlan(["2", "ha", "cluster"])).toEqual({ parts: ["cluster", "ha"], rounds: 2 });
});

test.each([[["hax"]], [["0"]], [["ha", "-1"]], [["2", "3"]], [["1.5"]]])("%j is refused", (words) => {
  expect(() => readPlan(words)).toThrow(/must be one of cluster, nodes, ha, or one number of rounds/);
});
