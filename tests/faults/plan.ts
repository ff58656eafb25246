import { StepError } from "../../common/errors";
import { type Cell, type CellResult, type Fault, type Operation, type Size, isGreen, isSameSize } from "./cell";
import { isStale } from "./checks";
import { FAULTS } from "./faults";
import { OPERATIONS } from "./operations";

/** Names of what to run. An absent list selects everything. */
export interface Selection {
  operations?: readonly string[];
  phases?: readonly string[];
  faults?: readonly string[];
}

/** Returns all cells whose fault applies to the phase. */
export function allCells(operations: readonly Operation[] = OPERATIONS, faults: readonly Fault[] = FAULTS): Cell[] {
  return operations.flatMap((operation) =>
    operation.phases.flatMap((phase) =>
      faults
        .filter((fault) => fault.notApplicable?.(operation, phase) === undefined)
        .map((fault) => ({ operation, phase, fault })),
    ),
  );
}

/** Selects cells by name. @throws StepError for an unknown name */
export function selectCells(cells: readonly Cell[], { operations, phases, faults }: Selection): Cell[] {
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
  const isSelected = (names: readonly string[] | undefined, name: string) => names?.includes(name) ?? true;
  return cells.filter(
    ({ operation, phase, fault }) =>
      isSelected(operations, operation.name) && isSelected(phases, phase.name) && isSelected(faults, fault.name),
  );
}

/** Returns the cells without a green result of the present checks. */
export function pendingCells(cells: readonly Cell[], results: readonly CellResult[]): Cell[] {
  return cells.filter(
    (cell) => !results.some((result) => isResultOf(cell)(result) && isGreen(result) && !isStale(result)),
  );
}

/** Returns a predicate for the results of a cell. */
export function isResultOf({
  operation,
  phase,
  fault,
}: { [K in keyof Cell]: Pick<Cell[K], "name"> }): (result: CellResult) => boolean {
  return (result) => result.operation === operation.name && result.phase === phase.name && result.fault === fault.name;
}

/**
 * Orders the cells so that, where possible, each begins with the machines that the one before it leaves: no cluster is
 * built between them. Among those, the operation with the fewest runs comes first, so that a run that is stopped early
 * covers every operation.
 */
export function orderCells(cells: readonly Cell[]): Cell[] {
  const remaining = new Set(cells);
  const runs = new Map<string, number>();
  const ordered: Cell[] = [];
  const runsOf = ({ operation }: Cell) => runs.get(operation.name) ?? 0;
  const leastRun = (candidates: readonly Cell[]) => [...candidates].sort((a, b) => runsOf(a) - runsOf(b))[0];
  for (let size: Size | undefined; ;) {
    const fitting = [...remaining].filter(({ operation }) => isSameSize(operation.before, size));
    const cell = leastRun(fitting.length > 0 ? fitting : [...remaining]);
    if (!cell) return ordered;
    ordered.push(cell);
    remaining.delete(cell);
    runs.set(cell.operation.name, runsOf(cell) + 1);
    size = cell.operation.after;
  }
}

function refuseUnknown(kind: string, names: readonly string[] | undefined, existing: readonly string[]): void {
  const unknown = names?.find((name) => !existing.includes(name));
  if (unknown === undefined) return;
  throw new StepError({
    step: `reading --${kind}`,
    cause: `there is no ${kind} named ${unknown}`,
    action: `use one of ${[...new Set(existing)].join(", ")}`,
  });
}
