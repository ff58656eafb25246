import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";
import { byNumber, CLUSTER, labelOfStep, machineOf, machinesOf, type Step } from "../../provider/preview/step";
import { stepOf } from "./events";
import { failureOf, mergeFailures, plainText } from "../terminal/engine-errors";
import { table } from "../terminal/text";

/** How far a run got with one resource. `deleted`: the old resource is deleted, its replacement is not created yet. */
export type WorkState = "begun" | "deleted" | "done" | "failed";

/** What a run did with one resource before it ended. */
interface Work {
  step: Step;
  state: WorkState;
  /** Names the machine, the step, the cause and the next action. */
  error?: string;
}

/** How far a run got with one machine. */
export interface MachineProgress {
  machine: string;
  state: "done" | "failed" | "interrupted" | "waiting" | "not started";
  /** The steps in progress, or what the machine waits for. */
  detail: string;
  /** Each names the step, the cause and the next action. */
  failures: string[];
}

/** Records the engine's events, for the report of a run that fails or is interrupted. */
export class RunRecord {
  private readonly work = new Map<string, Work>();

  readonly onEvent = ({ resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent }: EngineEvent): void => {
    if (resourcePreEvent)
      this.record(resourcePreEvent.metadata, resourcePreEvent.metadata.op === "same" ? "done" : "begun");
    if (resOutputsEvent) this.record(resOutputsEvent.metadata, "done");
    if (resOpFailedEvent) this.record(resOpFailedEvent.metadata, "failed");
    const severity: string | undefined = diagnosticEvent?.severity;
    if (diagnosticEvent?.urn && severity === "error")
      this.recordError(diagnosticEvent.urn, plainText(diagnosticEvent.message));
  };

  private record(metadata: StepEventMetadata, state: Work["state"]): void {
    const isReplacement = metadata.op === "delete-replaced";
    const step = stepOf(isReplacement ? { ...metadata, op: "replace" } : metadata);
    if (!step) return;
    const recorded = isReplacement && state === "done" ? "deleted" : state;
    this.work.set(step.urn, { ...this.work.get(step.urn), step, state: recorded });
  }

  /** Keeps the first error of a resource: it is the cause of the others. */
  private recordError(urn: string, text: string): void {
    const work = this.work.get(urn);
    const error = failureOf(undefined, text);
    if (work && error !== undefined) this.work.set(urn, { ...work, state: "failed", error: work.error ?? error });
  }

  /**
   * Returns the progress of every machine, and of the cluster where a failed resource belongs to no machine.
   * @param configured all machines of the configuration; the engine reports nothing about those that it did not reach
   */
  progress(configured: readonly string[]): MachineProgress[] {
    // The provider ends interrupted steps with "cancelled", which is not a failure.
    const all = [...this.work.values()].map((work): Work =>
      work.error === "cancelled" ? { ...work, state: "begun" } : work,
    );
    const names = [...configured, ...machinesOf(all.map(({ step }) => step))];
    const owned = all.map((work) => ({ work, machine: machineOf(work.step, names) }));
    const failed = new Set(owned.filter(({ work }) => work.state === "failed").map(({ machine }) => machine));
    const machines = [...new Set([...names, ...owned.map(({ machine }) => machine)])].filter(
      (machine) => machine !== CLUSTER || failed.has(CLUSTER),
    );
    const workOf = (name: string) => owned.filter(({ machine }) => machine === name).map(({ work }) => work);
    return machines.sort(byNumber).map((name) => progressOf(name, workOf(name), [...failed]));
  }
}

function progressOf(machine: string, work: readonly Work[], failing: readonly string[]): MachineProgress {
  const failures = work
    .filter(({ state }) => state === "failed")
    .map(({ step, error }) => `${labelOfStep(step)}: ${error ?? "aborted"}`);
  if (failures.length > 0) return { machine, state: "failed", detail: "", failures };
  const begun = work.filter(({ state }) => state === "begun").map(({ step }) => labelOfStep(step));
  if (begun.length > 0) return { machine, state: "interrupted", detail: `in ${begun.join(", ")}`, failures };
  if (isComplete(work)) return { machine, state: "done", detail: "", failures };
  return {
    machine,
    ...waiting(
      work,
      failing.filter((other) => other !== machine),
    ),
    failures,
  };
}

function waiting(work: readonly Work[], failing: readonly string[]): Pick<MachineProgress, "state" | "detail"> {
  const reason = failing.length === 0 ? "" : `for ${failing.join(", ")}`;
  const last = work.filter(({ step }) => step.op !== "same").at(-1);
  if (!last) return { state: "not started", detail: reason && `waits ${reason}` };
  return { state: "waiting", detail: [reason, `after ${labelOfStep(last.step)}`].filter(Boolean).join(", ") };
}

/**
 * Whether the work on a machine is complete: its Node comes last. A machine that is removed is complete when its Host
 * is deleted.
 */
export function isComplete(work: readonly { step: Step; state: WorkState }[]): boolean {
  const node = work.find(({ step }) => step.kind === "Node");
  if (node?.state !== "done") return false;
  if (node.step.op !== "delete") return true;
  return work.some(({ step }) => step.op === "delete" && step.kind === "Host");
}

/** Formats progress for people: one line for each machine, followed by its failures. */
export function progressText(progress: readonly MachineProgress[]): string[] {
  const heads = table(
    progress.map(({ machine, state, detail }) => [machine, state === "failed" ? "FAILED" : state, detail]),
  );
  return progress.flatMap(({ failures }, index) => [
    heads[index] ?? "",
    ...mergeFailures(failures).map((failure) => `  ✗ ${failure.replaceAll("\n", "\n  ")}`),
  ]);
}
