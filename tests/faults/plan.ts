import { StepError } from "../../common/errors";
import { type Cell, type CellResult, type Fault, type Operation, isGreen } from "./cell";
import { FAULTS } from "./faults";
import { OPERATIONS } from "./operations";

/** Names; all where none is given. */
export interface Choice {
  operations?: readonly string[];
  phases?: readonly string[];
  faults?: readonly string[];
}

/** Every cell that makes sense. */
export function allCells(operations: readonly Operation[] = OPERATIONS, faults: readonly Fault[] = FAULTS): Cell[] {
  return operations.flatMap((operation) =>
    operation.phases.flatMap((phase) =>
      faults
        .filter((fault) => fault.senseless?.(operation, phase) === undefined)
        .map((fault) => ({ operation, phase, fault })),
    ),
  );
}

/** @throws StepError for a name that there is none of. */
export function chosen(cells: readonly Cell[], { operations, phases, faults }: Choice): Cell[] {
  refuseUnknown(
    "operation",
    operations,
    cells.map(({ operation }) => operation.name),
  );
  refuseUnknown(
    "phase",
    phases,
    cells.map(({ phase }) => phase.name),
  );
  refuseUnknown(
    "fault",
    faults,
    cells.map(({ fault }) => fault.name),
  );
  const among = (names: readonly string[] | undefined, name: string) => names?.includes(name) ?? true;
  return cells.filter(
    ({ operation, phase, fault }) =>
      among(operations, operation.name) && among(phases, phase.name) && among(faults, fault.name),
  );
}

/** Those that have shown nothing good yet. */
export function unproved(cells: readonly Cell[], results: readonly CellResult[]): Cell[] {
  return cells.filter((cell) => !results.some((result) => isOf(cell)(result) && isGreen(result)));
}

export function isOf({
  operation,
  phase,
  fault,
}: { [K in keyof Cell]: Pick<Cell[K], "name"> }): (result: CellResult) => boolean {
  return (result) => result.operation === operation.name && result.phase === phase.name && result.fault === fault.name;
}

/**
 * Each begins, where possible, on what the one before it leaves: then no cluster is built between them. Of those the operation that was run least
 * comes first, so that a run that is stopped early has shown something of each.
 */
export function inOrder(cells: readonly Cell[]): Cell[] {
  const left = new Set(cells);
  const times = new Map<string, number>();
  const ordered: Cell[] = [];
  const timesOf = ({ operation }: Cell) => times.get(operation.name) ?? 0;
  const least = (some: readonly Cell[]) => [...some].sort((one, other) => timesOf(one) - timesOf(other))[0];
  for (let there: number | undefined; ;) {
    const fitting = [...left].filter(({ operation }) => operation.before === there);
    const cell = least(fitting.length > 0 ? fitting : [...left]);
    if (!cell) return ordered;
    ordered.push(cell);
    left.delete(cell);
    times.set(cell.operation.name, timesOf(cell) + 1);
    there = cell.operation.after;
  }
}

function refuseUnknown(what: string, names: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new StepError({
    step: `reading --${what}`,
    cause: `there is no ${what} ${unknown}`,
    action: `known are ${[...new Set(known)].join(", ")}`,
  });
}
