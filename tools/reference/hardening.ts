import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CisSection } from "../../cli/nodes/cis/item";
import { CIS_SECTIONS } from "../../cli/nodes/cis/items";
import { projectRoot } from "../../common/project-root";

const BEGIN = "<!-- Generated from cli/nodes/cis/items.ts by `npm run docs:reference`. -->";
const END = "<!-- End of the generated tables. -->";

/** The page docs/hardening.md with its tables of the CIS Benchmark. The rest of the page is written by people. */
export function hardeningPage(): string {
  const text = readFileSync(join(projectRoot(), "docs", "hardening.md"), "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/hardening.md does not have the lines ${BEGIN} and ${END}`);
  return [text.slice(0, begin) + BEGIN, ...CIS_SECTIONS.map(sectionText), text.slice(end)].join("\n\n");
}

function sectionText({ title, items }: CisSection): string {
  const rows = items.map(({ item, state }) => `| ${item} | ${state} |`);
  return [`### ${title}`, "", "| item | state |", "|---|---|", ...rows].join("\n");
}
