import type { CellResult, Fault, Operation, Outcome } from "./cell";
import { isStale } from "./checks";
import { allCells, isResultOf } from "./plan";

/** The text of a table cell. */
const LABELS: Record<Outcome, string> = { healed: "healed", resumed: "resumed", red: "**red**", missed: "missed" };
const NOT_APPLICABLE = "-";
const NOT_RUN = "";

/** Returns the line that is printed when a cell has been run. */
export function resultLine({ operation, phase, fault, outcome, seconds, note }: CellResult): string {
  const columns = [outcome.padEnd(8), `${operation}/${phase}`.padEnd(18), fault.padEnd(20), `${seconds}`.padStart(4)];
  return `${columns.join(" ")} s${note ? `  ${note}` : ""}`;
}

/** Replaces old results by newer ones of the same cell, sorted by name. */
export function mergeResults(old: readonly CellResult[], newer: readonly CellResult[]): CellResult[] {
  const key = ({ operation, phase, fault }: CellResult) => `${operation}/${phase}/${fault}`;
  const all = new Map([...old, ...newer].map((result) => [key(result), result]));
  return [...all.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, result]) => result);
}

/** Renders the generated part of docs/faults.md. */
export function renderCells(
  results: readonly CellResult[],
  operations: readonly Operation[],
  faults: readonly Fault[],
): string {
  return [
    ["## The faults", "", ...faultTable(operations, faults)].join("\n"),
    ["## The cells", "", summary(results, operations, faults)].join("\n"),
    ...operations.map((operation) =>
      [`### ${operation.name}: ${operation.description}`, "", ...matrix(results, operation, faults)].join("\n"),
    ),
    [
      "### Red and missed cells",
      "",
      ...listOf(results.filter(({ outcome }) => outcome === "red" || outcome === "missed")),
    ].join("\n"),
    [
      "### Errors of the resumed cells",
      "",
      ...listOf(results.filter(({ outcome, note }) => outcome === "resumed" && note)),
    ].join("\n"),
  ].join("\n\n");
}

function faultTable(operations: readonly Operation[], faults: readonly Fault[]): string[] {
  const rows = faults.map((fault) => [fault.name, fault.description, reasons(operations, fault).join("; ")]);
  return [["fault", "what it does", "`-` means"], ["---", "---", "---"], ...rows].map(line);
}

function reasons(operations: readonly Operation[], fault: Fault): string[] {
  return [
    ...new Set(
      operations.flatMap((operation) =>
        operation.phases.flatMap((phase) => fault.notApplicable?.(operation, phase) ?? []),
      ),
    ),
  ];
}

/** Counts the results, for docs/faults.md and the terminal. */
export function summary(
  results: readonly CellResult[],
  operations: readonly Operation[],
  faults: readonly Fault[],
): string {
  const count = (outcome: Outcome) => results.filter((result) => result.outcome === outcome).length;
  const days = results.map(({ on }) => on).sort();
  const stale = results.filter(isStale).length;
  const counts = (["healed", "resumed", "red", "missed"] as const).map((outcome) => `${count(outcome)} ${outcome}`);
  return [
    `${results.length} of ${allCells(operations, faults).length} cells were run`,
    ` (${days[0] ?? "never"} to ${days.at(-1) ?? "never"}): ${counts.join(", ")}.`,
    stale > 0 ? ` ${stale} results are stale: older checks judged them.` : "",
  ].join("");
}

function matrix(results: readonly CellResult[], operation: Operation, faults: readonly Fault[]): string[] {
  const head = ["fault", ...operation.phases.map(({ name }) => name)];
  const rows = faults.map((fault) => [
    fault.name,
    ...operation.phases.map((phase) => labelFor(results, operation, phase, fault)),
  ]);
  const applicable = rows.filter(([, ...cells]) => cells.some((cell) => cell !== NOT_APPLICABLE));
  return [head, head.map(() => "---"), ...applicable].map(line);
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function labelFor(
  results: readonly CellResult[],
  operation: Operation,
  phase: Operation["phases"][number],
  fault: Fault,
): string {
  if (fault.notApplicable?.(operation, phase) !== undefined) return NOT_APPLICABLE;
  const result = results.find(isResultOf({ operation, phase, fault }));
  if (!result) return NOT_RUN;
  return isStale(result) ? `${LABELS[result.outcome]} (stale)` : LABELS[result.outcome];
}

function listOf(results: readonly CellResult[]): string[] {
  if (results.length === 0) return ["None."];
  return results.map(
    ({ operation, phase, fault, note }) => `* ${operation}/${phase}, ${fault}: ${(note ?? "").replaceAll("|", "\\|")}`,
  );
}
