import type { Stack } from "@pulumi/pulumi/automation";
import { printable } from "../../common/printable";
import { NOT_READ } from "../../provider/preview/notices";
import { byNumber, labelOfStep, machineOf, machinesOf } from "../../provider/preview/step";
import type { Session } from "../engine/session";
import { driftMessages } from "./drift-text";
import { runPreview } from "./run-preview";
import { userCommand } from "../../common/user-command";

/** A resource that differs from the configuration. */
export interface Drift {
  /** The machine or node; `cluster` for resources that belong to none. */
  machine: string;
  /** `Unit worker-1-kubelet` */
  resource: string;
  /** What differs, in words. */
  differences: string[];
}

export interface DriftReport {
  drift: Drift[];
  /** Warnings of the provider, for example about machines that could not be read or were rebooted. */
  notices: string[];
  /** Whether every machine could be read. */
  complete: boolean;
}

/** Characters of a report. */
const MAX_REPORT = 1 << 20;
/** Reads every machine and compares it with the configuration, without changing anything. */
export async function readDrift(stack: Stack, session: Pick<Session, "signal">): Promise<DriftReport> {
  const { steps, notices } = await runPreview(stack, session, { refresh: true });
  const machines = machinesOf(steps);
  const drift = steps
    .filter(({ op }) => op !== "same")
    .map((step): Drift => ({
      machine: machineOf(step, machines),
      resource: labelOfStep(step),
      differences: driftMessages(step),
    }));
  return { drift, notices, complete: !notices.some((notice) => notice.startsWith(NOT_READ)) };
}

/** Formats a drift report for people, machine by machine. */
export function driftText({ drift, notices, complete }: DriftReport): string {
  const machines = [...new Set(drift.map(({ machine }) => machine))].sort(byNumber);
  const lines = machines.flatMap((machine) => [
    machine,
    ...drift
      .filter((one) => one.machine === machine)
      .flatMap(({ differences }) => differences.map((line) => `  ${line}`)),
    "",
  ]);
  const none = complete
    ? "no drift: every machine matches the configuration"
    : "no drift on the machines that could be read";
  const verdict =
    drift.length === 0 ? none : `\`${userCommand("up", "--refresh")}\` repairs this and restarts only what it must`;
  const notes = notices.length > 0 ? [...notices.map((notice) => `note: ${notice}`), ""] : [];
  // The lines contain contents of files on machines.
  return printable(`${[...notes, ...lines, verdict].join("\n")}\n`, MAX_REPORT);
}
