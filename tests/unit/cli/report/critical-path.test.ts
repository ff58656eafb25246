import { expect, test } from "vitest";
import type { RunSpan } from "../../../../cli/engine/run-timeline";
import { criticalPath } from "../../../../cli/report/critical-path";

const span = (urn: string, start: number, end: number, op: RunSpan["op"] = "create"): RunSpan => ({
  ...{ urn, label: `Unit ${urn}`, machine: "worker-1", op, start, end, state: "done" },
});
const pathOf = (spans: readonly RunSpan[], dependencies: Record<string, string[]>) =>
  criticalPath(spans, new Map(Object.entries(dependencies))).map(({ label, wait }) => `${label} +${wait}`);

test("follows the dependency that ended last, back from the step that ended last", () => {
  const spans = [span("a", 100, 400), span("b", 100, 900), span("c", 950, 2_000), span("d", 400, 1_500)];
  expect(pathOf(spans, { c: ["a", "b"], d: ["a"] })).toEqual(["Unit b +100", "Unit c +50"]);
});

test("looks through resources that the run did not change", () => {
  const spans = [span("a", 0, 500), span("c", 520, 900)];
  expect(pathOf(spans, { c: ["unchanged"], unchanged: ["component", "a"], component: ["unchanged"] })).toEqual([
    "Unit a +0",
    "Unit c +20",
  ]);
});

test("a resource is created after the one that it replaces was deleted", () => {
  expect(pathOf([span("a", 0, 500, "delete"), span("a", 510, 900)], {})).toEqual(["Unit a +0", "Unit a +10"]);
});

test("a deletion waits for the deletion before it, because the state no longer has its dependencies", () => {
  expect(pathOf([span("node", 0, 500, "delete"), span("unit", 500, 900, "delete")], {})).toEqual([
    "Unit node +0",
    "Unit unit +0",
  ]);
});

test("ends with dependencies that lead in a circle", () => {
  expect(pathOf([span("a", 0, 10), span("b", 10, 20)], { a: ["b"], b: ["a"] })).toEqual(["Unit a +0", "Unit b +0"]);
});

test("is empty for a run without steps", () => {
  expect(pathOf([], {})).toEqual([]);
});
