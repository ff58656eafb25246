import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { CellResult, Fault, Operation } from "../../faults/cell";
import { CHECKS } from "../../faults/checks";
import { mergeResults, renderCells, resultLine } from "../../faults/report";
import { PAGE, renderPage, readResults } from "../../faults/results";

const inject = async () => undefined;
const faults: Fault[] = [
  { name: "sigkill", description: "all processes are killed", inject },
  {
    name: "stale-state",
    description: "an old state",
    inject,
    notApplicable: (_operation, phase) => (phase.name === "end" ? undefined : "it follows"),
  },
];
const operation: Operation = {
  name: "join",
  description: "adds a worker",
  before: { controlPlanes: 1, workers: 1 },
  after: { controlPlanes: 1, workers: 2 },
  target: "worker-2",
  command: ["up"],
  resume: ["up"],
  phases: [{ name: "images", begins: /loading/ }, { name: "join", begins: /kubeadm/ }, { name: "end" }],
};
const result = (phase: string, fault: string, outcome: CellResult["outcome"], note?: string): CellResult => ({
  operation: "join",
  phase,
  fault,
  outcome,
  seconds: 31,
  on: "2026-11-21",
  checks: CHECKS,
  ...(note ? { note } : {}),
});

test("renders a table per operation, a row per fault, a column per phase, and the notes", () => {
  const results = [
    result("images", "sigkill", "resumed", "killed | in the middle"),
    result("end", "stale-state", "red", "machines: none instead of worker-2"),
  ];
  expect(renderCells(results, [operation], faults)).toMatchInlineSnapshot(`
    "## The faults

    | fault | what it does | \`-\` means |
    | --- | --- | --- |
    | sigkill | all processes are killed |  |
    | stale-state | an old state | it follows |

    ## The cells

    2 of 4 cells were run (2026-11-21 to 2026-11-21): 0 healed, 1 resumed, 1 red, 0 missed.

    ### join: adds a worker

    | fault | images | join | end |
    | --- | --- | --- | --- |
    | sigkill | resumed |  |  |
    | stale-state | - | - | **red** |

    ### Red and missed cells

    * join/end, stale-state: machines: none instead of worker-2

    ### Errors of the resumed cells

    * join/images, sigkill: killed \\| in the middle"
  `);
});

test("marks stale results in the table and counts them", () => {
  const text = renderCells([{ ...result("images", "sigkill", "healed"), checks: CHECKS - 1 }], [operation], faults);
  expect(text).toContain("| sigkill | healed (stale) |  |");
  expect(text).toContain("1 results are stale");
});

test("mergeResults replaces the result of the same cell and keeps the others", () => {
  const old = [result("images", "sigkill", "red"), result("join", "sigkill", "healed")];
  expect(mergeResults(old, [result("images", "sigkill", "healed")])).toEqual([
    result("images", "sigkill", "healed"),
    result("join", "sigkill", "healed"),
  ]);
});

test("resultLine summarizes a cell in one line", () => {
  expect(resultLine(result("images", "sigkill", "red", "no"))).toBe(
    "red      join/images        sigkill                31 s  no",
  );
});

test("docs/faults.md is current", () => {
  const page = readFileSync(PAGE, "utf8");
  expect(renderPage(page, readResults())).toBe(page);
});

test("refuses to overwrite a page without its marks", () => {
  expect(() => renderPage("# Faults", [])).toThrow("lacks the marks");
});
