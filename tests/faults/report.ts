import type { CellResult, Fault, Operation, Outcome } from "./cell";
import { allCells, isOf } from "./plan";

/** What stands in a cell of the table. */
const WORDS: Record<Outcome, string> = { healed: "healed", resumed: "resumed", red: "**red**", missed: "missed" };
const SENSELESS = "-";
const NOT_RUN = "";

/** One line while cells are run. */
export function resultLine({ operation, phase, fault, outcome, seconds, note }: CellResult): string {
  return `${outcome.padEnd(8)} ${`${operation}/${phase}`.padEnd(18)} ${fault.padEnd(20)} ${String(seconds).padStart(4)} s${note ? `  ${note}` : ""}`;
}

/** New results in the place of old ones of the same cell, in the order of the tables. */
export function merged(old: readonly CellResult[], newer: readonly CellResult[]): CellResult[] {
  const key = ({ operation, phase, fault }: CellResult) => `${operation}/${phase}/${fault}`;
  const all = new Map([...old, ...newer].map((result) => [key(result), result]));
  return [...all.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, result]) => result);
}

/** The part of docs/faults.md that results make: pure, so that a test can tell whether the page is what was run. */
export function renderCells(
  results: readonly CellResult[],
  operations: readonly Operation[],
  faults: readonly Fault[],
): string {
  return [
    ["## The faults", "", ...explained(operations, faults)].join("\n"),
    ["## The cells", "", summary(results, operations, faults)].join("\n"),
    ...operations.map((operation) =>
      [`### ${operation.name}: ${operation.what}`, "", ...matrix(results, operation, faults)].join("\n"),
    ),
    ["### What is red", "", ...listOf(results.filter(({ outcome }) => outcome === "red" || outcome === "missed"))].join(
      "\n",
    ),
    [
      "### How it failed before it was resumed",
      "",
      ...listOf(results.filter(({ outcome, note }) => outcome === "resumed" && note)),
    ].join("\n"),
  ].join("\n\n");
}

function explained(operations: readonly Operation[], faults: readonly Fault[]): string[] {
  const rows = faults.map((fault) => [fault.name, fault.what, reasons(operations, fault).join("; ")]);
  return [["fault", "what it does", "`-` stands where"], ["---", "---", "---"], ...rows].map(line);
}

function reasons(operations: readonly Operation[], fault: Fault): string[] {
  return [
    ...new Set(
      operations.flatMap((operation) => operation.phases.flatMap((phase) => fault.senseless?.(operation, phase) ?? [])),
    ),
  ];
}

export function summary(
  results: readonly CellResult[],
  operations: readonly Operation[],
  faults: readonly Fault[],
): string {
  const count = (outcome: Outcome) => results.filter((result) => result.outcome === outcome).length;
  const sensible = allCells(operations, faults).length;
  const days = results.map(({ on }) => on).sort();
  return `${results.length} of ${sensible} cells were run (${days[0] ?? "never"} to ${days.at(-1) ?? "never"}): ${count("healed")} healed, ${count("resumed")} resumed, ${count("red")} red, ${count("missed")} missed.`;
}

function matrix(results: readonly CellResult[], operation: Operation, faults: readonly Fault[]): string[] {
  const head = ["fault", ...operation.phases.map(({ name }) => name)];
  const rows = faults.map((fault) => [
    fault.name,
    ...operation.phases.map((phase) => wordFor(results, operation, phase, fault)),
  ]);
  const told = rows.filter(([, ...cells]) => cells.some((cell) => cell !== SENSELESS));
  return [head, head.map(() => "---"), ...told].map(line);
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function wordFor(
  results: readonly CellResult[],
  operation: Operation,
  phase: Operation["phases"][number],
  fault: Fault,
): string {
  if (fault.senseless?.(operation, phase) !== undefined) return SENSELESS;
  const found = results.find(isOf({ operation, phase, fault }));
  return found ? WORDS[found.outcome] : NOT_RUN;
}

function listOf(results: readonly CellResult[]): string[] {
  if (results.length === 0) return ["None."];
  return results.map(
    ({ operation, phase, fault, note }) => `* ${operation}/${phase}, ${fault}: ${(note ?? "").replaceAll("|", "\\|")}`,
  );
}
