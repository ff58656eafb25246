import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../common/project-root";
import type { CellResult } from "./cell";
import { FAULTS } from "./faults";
import { OPERATIONS } from "./operations";
import { allCells, isResultOf } from "./plan";
import { mergeResults, renderCells } from "./report";

export const RESULTS = join(projectRoot(), "tests", "faults", "results.json");
export const PAGE = join(projectRoot(), "docs", "faults.md");
const BEGIN = "<!-- made by `npm run faults` -->";
const END = "<!-- end -->";

/** Reads the results of the present cells, without those of removed faults and phases. */
export function readResults(): CellResult[] {
  if (!existsSync(RESULTS)) return [];
  const cells = allCells();
  return (JSON.parse(readFileSync(RESULTS, "utf8")) as CellResult[]).filter((result) =>
    cells.some((cell) => isResultOf(cell)(result)),
  );
}

/** Adds a result to the file and the page. Keeps what other runs have added. */
export function saveResult(result: CellResult): void {
  const all = mergeResults(readResults(), [result]);
  writeFileSync(RESULTS, `[\n${all.map((one) => `  ${JSON.stringify(one)}`).join(",\n")}\n]\n`);
  writePage(all);
}

/** Writes the generated part of docs/faults.md, also after a change of operations or faults. */
export function writePage(results: readonly CellResult[]): void {
  writeFileSync(PAGE, renderPage(readFileSync(PAGE, "utf8"), results));
}

/** Returns the page with these results between its two marks. */
export function renderPage(page: string, results: readonly CellResult[]): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/faults.md lacks the marks ${BEGIN} and ${END}: restore them`);
  return `${page.slice(0, from)}${BEGIN}\n\n${renderCells(results, OPERATIONS, FAULTS)}\n\n${page.slice(to)}`;
}
