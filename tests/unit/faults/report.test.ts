import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { CellResult, Fault, Operation } from "../../faults/cell";
import { merged, renderCells, resultLine } from "../../faults/report";
import { PAGE, pageWith, readResults } from "../../faults/results";

const strike = async () => undefined;
const faults: Fault[] = [
  { name: "sigkill", what: "all at once", strike },
  {
    name: "stale-state",
    what: "an old state",
    strike,
    senseless: (_operation, phase) => (phase.name === "end" ? undefined : "it comes after"),
  },
];
const operation: Operation = {
  name: "join",
  what: "a worker more",
  before: 1,
  after: 2,
  target: "worker-2",
  command: ["up"],
  again: ["up"],
  phases: [{ name: "images", begins: /loading/ }, { name: "join", begins: /kubeadm/ }, { name: "end" }],
};
const result = (phase: string, fault: string, outcome: CellResult["outcome"], note?: string): CellResult => ({
  operation: "join",
  phase,
  fault,
  outcome,
  seconds: 31,
  on: "2026-11-21",
  ...(note ? { note } : {}),
});

test("a table per operation, a row per fault, a column per phase; what is red and how others failed is told", () => {
  const results = [
    result("images", "sigkill", "resumed", "killed | in the middle"),
    result("end", "stale-state", "red", "machines: none instead of worker-2"),
  ];
  expect(renderCells(results, [operation], faults)).toMatchInlineSnapshot(`
    "## The faults

    | fault | what it does | \`-\` stands where |
    | --- | --- | --- |
    | sigkill | all at once |  |
    | stale-state | an old state | it comes after |

    ## The cells

    2 of 4 cells were run (2026-11-21 to 2026-11-21): 0 healed, 1 resumed, 1 red, 0 missed.

    ### join: a worker more

    | fault | images | join | end |
    | --- | --- | --- | --- |
    | sigkill | resumed |  |  |
    | stale-state | - | - | **red** |

    ### What is red

    * join/end, stale-state: machines: none instead of worker-2

    ### How it failed before it was resumed

    * join/images, sigkill: killed \\| in the middle"
  `);
});

test("a newer result takes the place of the older, and others stay", () => {
  const old = [result("images", "sigkill", "red"), result("join", "sigkill", "healed")];
  expect(merged(old, [result("images", "sigkill", "healed")])).toEqual([
    result("images", "sigkill", "healed"),
    result("join", "sigkill", "healed"),
  ]);
});

test("one line says what came of a cell", () => {
  expect(resultLine(result("images", "sigkill", "red", "no"))).toBe(
    "red      join/images        sigkill                31 s  no",
  );
});

test("docs/faults.md is what the results say", () => {
  const page = readFileSync(PAGE, "utf8");
  expect(pageWith(page, readResults())).toBe(page);
});

test("a page without its marks is not written over", () => {
  expect(() => pageWith("# Faults", [])).toThrow("lost its marks");
});
