import { userCommand } from "../../../common/user-command";
import { pluralize, table } from "../../terminal/text";
import type { MachineFacts } from "./facts";
import type { CisItem } from "./item";
import { CIS_SECTIONS } from "./items";
import type { Finding } from "./probes";

/**
 * `failed`: a cluster must have it, and this one does not. `option`: a setting would change it. `open`: Kubewright does
 * not set it, and the cluster does not have it. `undecided`: it does not depend on Kubewright.
 */
export type CisStatus = "passed" | "failed" | "option" | "open" | "undecided";

export interface CisResult {
  section: string;
  item: string;
  status: CisStatus;
  /** What the documentation says about the item. */
  state: string;
  findings: Finding[];
}

/** Compares a cluster with the items of the CIS Benchmark that Kubewright decides. */
export function checkCis(machines: readonly MachineFacts[]): CisResult[] {
  return CIS_SECTIONS.flatMap(({ title: section, items }) =>
    items.map((item) => {
      const findings = item.probe?.(machines) ?? [];
      return { section, item: item.item, status: statusOf(item, findings), state: item.state, findings };
    }),
  );
}

/** What no machine has is not proved. */
function statusOf({ expected, probe }: CisItem, findings: readonly Finding[]): CisStatus {
  if (!probe) return "undecided";
  if (findings.length > 0 && findings.every(({ ok }) => ok)) return "passed";
  return expected === "passed" ? "failed" : expected;
}

const WORDS: Readonly<Record<CisStatus, string>> = {
  passed: "passed",
  failed: "FAILED",
  option: "by an option",
  open: "not passed",
  undecided: "not decided",
};

/** Formats the results for people: one table for each section. */
export function cisText(results: readonly CisResult[]): string {
  const sections = [...new Set(results.map(({ section }) => section))];
  const tables = sections.flatMap((section) => {
    const rows = results
      .filter((result) => result.section === section)
      .map((result) => [WORDS[result.status], plain(result.item), evidenceOf(result)]);
    return [section, ...table(rows), ""];
  });
  const count = (status: CisStatus) => results.filter((result) => result.status === status).length;
  const counts = (["passed", "failed", "option", "open", "undecided"] as const).map(
    (status) => `${count(status)} ${WORDS[status].toLowerCase()}`,
  );
  const end = count("failed") === 0 ? "" : ` Run \`${userCommand("up", "--refresh")}\` to repair what differs.`;
  return `${[...tables, `${pluralize(results.length, "item")}: ${counts.join(", ")}.${end}`].join("\n")}\n`;
}

/** What was found where the item is not passed; otherwise what was found first. */
function evidenceOf({ findings, state, status }: CisResult): string {
  const failed = findings.filter(({ ok }) => !ok);
  const shown = (failed.length > 0 ? failed : findings.slice(0, 1)).map(
    ({ machine, evidence }) => `${machine}: ${evidence}`,
  );
  return status === "undecided" || status === "option" || shown.length === 0 ? plain(state) : shown.join("; ");
}

function plain(markdown: string): string {
  return markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "");
}
