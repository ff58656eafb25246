import { printable } from "../../common/printable";
import { sentenceOf } from "../../provider/preview/disruptions";
import type { Plan } from "./plan";
import { machineLines, summary } from "./plan-text";

/** Characters of a comment; GitHub accepts 65536. */
const MAX_COMMENT = 60_000;
const CUT = "(the beginning is cut: run the preview to read it)";

/** Formats a plan for a comment on a pull request. */
export function planMarkdown(stack: string, plan: Plan): string {
  const { notices, machines, counts, disruptions } = plan;
  const details = machines.flatMap(machineLines).join("\n").trimEnd();
  const lines = [
    `### Kubewright preview of stack ${inline(stack)}`,
    "",
    `**${inline(summary(counts))}**`,
    ...list("Disruptions", disruptions.map(sentenceOf)),
    ...list("Notes", notices),
    ...(details === "" ? [] : ["", "<details><summary>Changes by machine</summary>", "", ...fenced(details)]),
  ];
  return `${lines.join("\n")}\n`;
}

function list(heading: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ["", `**${heading}**`, "", ...items.map((item) => `- ${inline(item)}`)];
}

/** Files on machines are in the text: a fence that is longer than every one in it cannot be ended by it. */
function fenced(text: string): string[] {
  const content = printable(text, MAX_COMMENT);
  const cut = content.length < text.length ? [CUT] : [];
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}text`, ...cut, content, fence, "", "</details>"];
}

/** A line that Markdown and HTML show as it is. */
function inline(text: string): string {
  return printable(text)
    .replaceAll(/\s+/g, " ")
    .replaceAll(/[\\`*_[\]<>&|@#~]/g, (character) => `&#${character.codePointAt(0)};`);
}
