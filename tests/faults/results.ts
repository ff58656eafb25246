import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../common/project-root";
import type { CellResult } from "./cell";
import { FAULTS } from "./faults";
import { OPERATIONS } from "./operations";
import { merged, renderCells } from "./report";

export const RESULTS = join(projectRoot(), "tests", "faults", "results.json");
export const PAGE = join(projectRoot(), "docs", "faults.md");
const BEGIN = "<!-- made by `npm run faults` -->";
const END = "<!-- end -->";

export function readResults(): CellResult[] {
  return existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, "utf8")) as CellResult[]) : [];
}

/** One result more, in the file and on the page; what other runs have added meanwhile stays. */
export function keep(result: CellResult): void {
  const all = merged(readResults(), [result]);
  writeFileSync(RESULTS, `[\n${all.map((one) => `  ${JSON.stringify(one)}`).join(",\n")}\n]\n`);
  writeFileSync(PAGE, pageWith(readFileSync(PAGE, "utf8"), all));
}

/** Pure: the page, with these results between its two marks. */
export function pageWith(page: string, results: readonly CellResult[]): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/faults.md has lost its marks ${BEGIN} and ${END}`);
  return `${page.slice(0, from)}${BEGIN}\n\n${renderCells(results, OPERATIONS, FAULTS)}\n\n${page.slice(to)}`;
}
