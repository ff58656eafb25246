import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../common/project-root";
import type { CellResult } from "./cell";
import { FAULTS } from "./faults";
import { OPERATIONS } from "./operations";
import { allCells, isOf } from "./plan";
import { merged, renderCells } from "./report";

export const RESULTS = join(projectRoot(), "tests", "faults", "results.json");
export const PAGE = join(projectRoot(), "docs", "faults.md");
const BEGIN = "<!-- made by `npm run faults` -->";
const END = "<!-- end -->";

/** Of the cells that there are now: a fault or a phase may have been taken out since. */
export function readResults(): CellResult[] {
  if (!existsSync(RESULTS)) return [];
  const cells = allCells();
  return (JSON.parse(readFileSync(RESULTS, "utf8")) as CellResult[]).filter((result) =>
    cells.some((cell) => isOf(cell)(result)),
  );
}

/** One result more, in the file and on the page; what other runs have added meanwhile stays. */
export function keep(result: CellResult): void {
  const all = merged(readResults(), [result]);
  writeFileSync(RESULTS, `[\n${all.map((one) => `  ${JSON.stringify(one)}`).join(",\n")}\n]\n`);
  writePage(all);
}

/** After a change of operations or faults too. */
export function writePage(results: readonly CellResult[]): void {
  writeFileSync(PAGE, pageWith(readFileSync(PAGE, "utf8"), results));
}

/** Pure: the page, with these results between its two marks. */
export function pageWith(page: string, results: readonly CellResult[]): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/faults.md has lost its marks ${BEGIN} and ${END}`);
  return `${page.slice(0, from)}${BEGIN}\n\n${renderCells(results, OPERATIONS, FAULTS)}\n\n${page.slice(to)}`;
}
