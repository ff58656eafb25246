import { printable } from "../../common/printable";
import { sentenceOf } from "../../provider/preview/disruptions";
import type { Counts, MachinePlan, Plan } from "./plan";

/** Characters of a plan. */
const LONGEST = 1 << 20;

/** For people: what disrupts, then machine by machine, then the sum. */
export function planText(plan: Plan): string {
  const { notices, machines, counts } = plan;
  const lines = [
    ...notices.map((notice) => `note: ${notice}`),
    ...(notices.length > 0 ? [""] : []),
    ...disruptionLines(plan),
    ...machines.flatMap(machineLines),
    summary(counts),
  ];
  // File contents of machines are among the lines.
  return printable(`${lines.join("\n")}\n`, LONGEST);
}

/** The section that comes first; nothing where nothing disrupts. */
export function disruptionLines({ disruptions }: Pick<Plan, "disruptions">): string[] {
  return disruptions.length === 0 ? [] : ["THIS DISRUPTS:", ...disruptions.map((one) => `  ${sentenceOf(one)}`), ""];
}

const HEADINGS: Record<MachinePlan["fate"], string> = {
  made: "is made, set up, and joins",
  joins: "is set up, and joins",
  rebuilt: "is drained, made anew, set up, and joins",
  rejoins: "is drained, leaves, and joins again",
  removed: "is drained, leaves, and is removed",
  leaves: "is drained and leaves; what we put on it is removed",
  changed: "",
};

function machineLines({ machine, fate, why, changes }: MachinePlan): string[] {
  const heading = HEADINGS[fate];
  const because = why === undefined ? "" : `, because ${why}`;
  return [`${machine}${heading && ` ${heading}`}${because}`, ...changes.map((change) => `  ${change}`), ""];
}

/** `2 machines: 1 made, 1 changed; 1 node is drained, 3 files change, 2 restarts` */
function summary({ made, rebuilt, removed, changed, files, restarts, drains, resources }: Counts): string {
  if (resources === 0) return "nothing to change: all is as configured, as far as the state knows";
  const machines = made + rebuilt + removed + changed;
  const fates = [
    said(made, "made"),
    said(rebuilt, "made anew"),
    said(removed, "removed"),
    said(changed, "changed"),
  ].flat();
  const rest = [
    counted(drains, "node is drained", "nodes are drained"),
    counted(files, "file changes", "files change"),
    counted(restarts, "restart", "restarts"),
  ].flat();
  const all = [
    ...(machines > 0
      ? [`${machines} ${machines === 1 ? "machine" : "machines"}: ${fates.join(", ")}`]
      : ["no machine changes"]),
    ...(rest.length > 0 ? [rest.join(", ")] : []),
  ];
  return `${all.join("; ")} (${resources} ${resources === 1 ? "resource" : "resources"} in all)`;
}

function said(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}

function counted(count: number, one: string, more: string): string[] {
  return said(count, count === 1 ? one : more);
}
