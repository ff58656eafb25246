import { describe, expect, test } from "vitest";
import type { Cell, CellResult } from "../../faults/cell";
import { FAULTS } from "../../faults/faults";
import { OPERATIONS } from "../../faults/operations";
import { allCells, chosen, inOrder, unproved } from "../../faults/plan";

const nameOf = ({ operation, phase, fault }: Cell) => `${operation.name}/${phase.name}/${fault.name}`;
const result = (cell: Cell, outcome: CellResult["outcome"]): CellResult => ({
  operation: cell.operation.name,
  phase: cell.phase.name,
  fault: cell.fault.name,
  outcome,
  seconds: 1,
  on: "2026-01-01",
});

test("every phase has a fault that fits it, and every fault a phase", () => {
  const cells = allCells();
  const phases = OPERATIONS.flatMap(({ name, phases }) => phases.map((phase) => `${name}/${phase.name}`));
  expect(new Set(cells.map(({ operation, phase }) => `${operation.name}/${phase.name}`))).toEqual(new Set(phases));
  expect(new Set(cells.map(({ fault }) => fault.name))).toEqual(new Set(FAULTS.map(({ name }) => name)));
});

describe("the choice", () => {
  test("is by names", () => {
    expect(
      chosen(allCells(), { operations: ["join"], phases: ["images"], faults: ["sigkill", "hanging"] }).map(nameOf),
    ).toEqual(["join/images/hanging", "join/images/sigkill"]);
  });

  test("of a name that there is none of is refused, with those that there are", () => {
    expect(() => chosen(allCells(), { operations: ["jion"] })).toThrow(
      /no operation jion; known are create, join, drain/,
    );
  });

  test("leaves out what was healed or resumed, not what is red", () => {
    const [one, two, three] = allCells() as [Cell, Cell, Cell];
    expect(unproved([one, two, three], [result(one, "healed"), result(two, "red")])).toEqual([two, three]);
  });
});

test("each cell begins on what the one before it leaves, and none is forgotten", () => {
  const cells = chosen(allCells(), {
    operations: ["join", "remove", "create", "destroy"],
    phases: ["machine"],
    faults: ["sigkill", "ctrl-c"],
  });
  expect(inOrder(cells).map(nameOf)).toEqual([
    "create/machine/sigkill",
    "destroy/machine/sigkill",
    "create/machine/ctrl-c",
    "destroy/machine/ctrl-c",
    "join/machine/sigkill",
    "remove/machine/sigkill",
    "join/machine/ctrl-c",
    "remove/machine/ctrl-c",
  ]);
});
