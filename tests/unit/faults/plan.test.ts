import { describe, expect, test } from "vitest";
import type { Cell, CellResult } from "../../faults/cell";
import { CHECKS } from "../../faults/checks";
import { FAULTS } from "../../faults/faults";
import { OPERATIONS } from "../../faults/operations";
import { allCells, selectCells, orderCells, pendingCells } from "../../faults/plan";

const nameOf = ({ operation, phase, fault }: Cell) => `${operation.name}/${phase.name}/${fault.name}`;
const result = (cell: Cell, outcome: CellResult["outcome"], checks = CHECKS): CellResult => ({
  operation: cell.operation.name,
  phase: cell.phase.name,
  fault: cell.fault.name,
  outcome,
  seconds: 1,
  on: "2026-01-01",
  checks,
});

test("every phase has a fault and every fault has a phase", () => {
  const cells = allCells();
  const phases = OPERATIONS.flatMap(({ name, phases }) => phases.map((phase) => `${name}/${phase.name}`));
  expect(new Set(cells.map(({ operation, phase }) => `${operation.name}/${phase.name}`))).toEqual(new Set(phases));
  expect(new Set(cells.map(({ fault }) => fault.name))).toEqual(new Set(FAULTS.map(({ name }) => name)));
});

describe("selectCells", () => {
  test("selects by operation, phase and fault", () => {
    expect(
      selectCells(allCells(), { operations: ["join"], phases: ["images"], faults: ["sigkill", "hanging"] }).map(nameOf),
    ).toEqual(["join/images/hanging", "join/images/sigkill"]);
  });

  test("refuses an unknown name and lists the existing ones", () => {
    expect(() => selectCells(allCells(), { operations: ["jion"] })).toThrow(
      /no operation named jion; use one of create, join, drain/,
    );
  });
});

describe("pendingCells", () => {
  const [one, two, three] = allCells() as [Cell, Cell, Cell];

  test("leaves out healed and resumed cells, and keeps red ones and those without a result", () => {
    expect(pendingCells([one, two, three], [result(one, "healed"), result(two, "red")])).toEqual([two, three]);
    expect(pendingCells([one], [result(one, "resumed")])).toEqual([]);
  });

  test("keeps green cells that older checks have judged", () => {
    const { checks: _checks, ...withoutVersion } = result(two, "healed");
    expect(pendingCells([one, two], [result(one, "healed", CHECKS - 1), withoutVersion])).toEqual([one, two]);
  });
});

test("orderCells begins each cell with the machines that the one before it leaves, and keeps all cells", () => {
  const cells = selectCells(allCells(), {
    operations: ["join", "remove", "create", "destroy"],
    phases: ["machine"],
    faults: ["sigkill", "ctrl-c"],
  });
  expect(orderCells(cells).map(nameOf)).toEqual([
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

test("orderCells keeps three control planes as long as a cell begins with them", () => {
  const cells = selectCells(allCells(), {
    operations: ["join-control-plane", "replace-control-plane"],
    phases: ["machine"],
    faults: ["sigkill", "ctrl-c"],
  });
  expect(orderCells(cells).map(nameOf)).toEqual([
    "join-control-plane/machine/sigkill",
    "replace-control-plane/machine/sigkill",
    "replace-control-plane/machine/ctrl-c",
    "join-control-plane/machine/ctrl-c",
  ]);
});
