import { printable } from "../../common/printable";
import { sentenceOf } from "../../provider/preview/disruptions";
import { pluralize } from "../terminal/text";
import type { Counts, MachinePlan, Plan } from "./plan";

/** Characters of a plan. */
const MAX_PLAN = 1 << 20;

/** Formats a plan for people: disruptions, then each machine, then the totals. */
export function planText(plan: Plan): string {
  const { notices, machines, counts } = plan;
  const lines = [
    ...notices.map((notice) => `note: ${notice}`),
    ...(notices.length > 0 ? [""] : []),
    ...disruptionLines(plan),
    ...machines.flatMap(machineLines),
    summary(counts),
  ];
  // The lines contain contents of files on machines.
  return printable(`${lines.join("\n")}\n`, MAX_PLAN);
}

function disruptionLines({ disruptions }: Plan): string[] {
  return disruptions.length === 0 ? [] : ["DISRUPTIONS:", ...disruptions.map((one) => `  ${sentenceOf(one)}`), ""];
}

const HEADINGS: Record<MachinePlan["outcome"], string> = {
  created: "is created, set up and joined",
  joins: "is set up and joined",
  recreated: "is drained, recreated, set up and joined",
  rejoins: "is drained, leaves and joins again",
  removed: "is drained, leaves and is deleted",
  leaves: "is drained and leaves; Kubernetes is removed from it",
  changed: "",
};

export function machineLines({ machine, outcome, why, changes }: MachinePlan): string[] {
  const heading = HEADINGS[outcome];
  const because = why === undefined ? "" : `, because ${why}`;
  return [`${machine}${heading && ` ${heading}`}${because}`, ...changes.map((change) => `  ${change}`), ""];
}

/** `2 machines: 1 created, 1 changed; 1 node is drained, 3 files change, 2 restarts (9 resources)` */
export function summary(counts: Counts): string {
  const { created, recreated, removed, changed, files, restarts, drains, resources } = counts;
  if (resources === 0) return "nothing to change: the state matches the configuration";
  const outcomes = Object.entries({ created, recreated, removed, changed });
  const byOutcome = outcomes.filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`);
  const machines = outcomes.reduce((sum, [, count]) => sum + count, 0);
  const details = [
    counted(drains, "node is drained", "nodes are drained"),
    counted(files, "file changes", "files change"),
    counted(restarts, "restart", "restarts"),
  ].flat();
  const all = [
    machines > 0 ? `${pluralize(machines, "machine")}: ${byOutcome.join(", ")}` : "no machine changes",
    ...(details.length > 0 ? [details.join(", ")] : []),
  ];
  return `${all.join("; ")} (${pluralize(resources, "resource")})`;
}

function counted(count: number, one: string, more: string): string[] {
  return count === 0 ? [] : [pluralize(count, one, more)];
}
