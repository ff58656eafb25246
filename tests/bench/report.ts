import { busyReason, loadLine, type MachineLoad } from "./load";
import { median, type Measured, type StepTime } from "./measure";
import { VERBS, type NodeResults } from "./nodes";
import type { NoOp } from "./ours";

export interface Results {
  /** The machines of the cluster: "1 control plane and 2 workers". */
  machines: string;
  /** Largest ratio of the two medians that meets the aim. */
  aim: number;
  ours: Measured[];
  shell: Measured[];
  noOps: NoOp[];
  /** Load of the machine before each measurement. */
  loads: MachineLoad[];
  /** Why the shell script did not run. */
  without?: string;
}

/** Aim for operations on nodes. */
const NODES_AIM = 1.25;

export function render({ machines, aim, ours, shell, noOps, loads, without }: Results): string {
  const mine = median(ours.map((run) => run.seconds));
  const theirs = median(shell.map((run) => run.seconds));
  const all = (runs: readonly Measured[]) => runs.map((run) => run.seconds.toFixed(1)).join(", ");
  return [
    "",
    `From 'machines answer ssh' to 'all Ready and CoreDNS Available', ${machines} (median)`,
    `  pulumi up       ${mine.toFixed(1).padStart(6)} s   (${all(ours)})`,
    ...(shell.length > 0
      ? [`  shell script    ${theirs.toFixed(1).padStart(6)} s   (${all(shell)})`]
      : [`  shell script         -     ${without ?? ""}`]),
    ...(shell.length > 0 && without !== undefined ? [`  a round of the shell script failed: ${without}`] : []),
    ...(shell.length > 0 ? [`  ${verdict(mine / theirs, aim, loads)}`] : []),
    `  ${loadLine(loads)}`,
    "",
    "pulumi up without changes (median)",
    `  time            ${median(noOps.map((run) => run.seconds))
      .toFixed(1)
      .padStart(6)} s`,
    `  SSH connections ${median(noOps.map((run) => run.connections))
      .toFixed(0)
      .padStart(6)}`,
    `  engine share    ${(100 * median(noOps.map((run) => run.engineShare))).toFixed(0).padStart(6)} %` +
      "   (Pulumi's start, program and state; the rest is the provider)",
    ...table("pulumi up: steps", best(ours)),
    ...table("shell script: steps", best(shell)),
    "",
  ].join("\n");
}

/** A ratio that was measured on a busy machine says nothing about the two sides. */
function verdict(ratio: number, aim: number, loads: readonly MachineLoad[]): string {
  return busyReason(loads) ?? `ratio           ${ratio.toFixed(2).padStart(6)}     (aim: at most ${aim.toFixed(2)})`;
}

export function renderNodes({ ours, hand, loads, without }: NodeResults): string {
  const busy = busyReason(loads);
  const line = (verb: (typeof VERBS)[number]) => {
    const [mine, theirs] = [median(ours[verb]), median(hand[verb])];
    const ratio = busy === undefined ? (mine / theirs).toFixed(2) : "-";
    const compared = `${theirs.toFixed(1).padStart(6)} s    ${ratio.padStart(5)}`;
    const script = hand[verb].length > 0 ? compared : "     -";
    const times = `(${all(ours[verb])}; ${all(hand[verb])})`;
    return `  ${verb.padEnd(10)} ${mine.toFixed(1).padStart(6)} s   ${script}   ${times}`;
  };
  const all = (times: readonly number[]) => times.map((time) => time.toFixed(1)).join(", ");
  return [
    "",
    "One worker, with its machine: `npm run node:*` and a shell script that does the same (median)",
    "The drain moves 4 pods with a PodDisruptionBudget that allows one disruption at a time.",
    `             ours     script     ratio (aim: at most ${NODES_AIM})${without ? `; ${without}` : ""}`,
    ...VERBS.map(line),
    ...(busy === undefined ? [] : [`  ${busy}`]),
    `  ${loadLine(loads)}`,
    "",
  ].join("\n");
}

/** Returns the run closest to the median. Its steps belong together, unlike medians of steps. */
function best(runs: readonly Measured[]): Measured | undefined {
  const middle = median(runs.map((run) => run.seconds));
  return [...runs].sort((one, other) => Math.abs(one.seconds - middle) - Math.abs(other.seconds - middle))[0];
}

function table(title: string, run: Measured | undefined): string[] {
  if (!run) return [];
  const nodes = [...new Set(run.steps.map((step) => step.node))].sort();
  const rows = nodes.flatMap((node) =>
    run.steps.filter((step) => step.node === node).sort((one, other) => one.start - other.start),
  );
  return [
    "",
    `${title} (* critical path; ${run.seconds.toFixed(1)} s in all)`,
    ...rows.map((step) => row(step, run.critical)),
    "",
    `  critical path: ${path(run.critical)}`,
  ];
}

function row(step: StepTime, critical: readonly StepTime[]): string {
  const times = [step.start, step.end, step.end - step.start]
    .map((seconds) => seconds.toFixed(1).padStart(6))
    .join(" ");
  return `  ${critical.includes(step) ? "*" : " "} ${step.node.padEnd(16)} ${step.step.padEnd(40)} ${times}`;
}

/** Includes the gaps between steps, in which no step of this path was in progress. */
function path(critical: readonly StepTime[]): string {
  return critical
    .map(
      (step, index) =>
        `${gap(step, critical[index - 1])}${step.node} ${step.step} ${(step.end - step.start).toFixed(1)}`,
    )
    .join(" > ");
}

function gap(step: StepTime, before: StepTime | undefined): string {
  const idle = step.start - (before?.end ?? 0);
  return idle >= 0.1 ? `(${idle.toFixed(1)}) > ` : "";
}
