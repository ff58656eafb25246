import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";
import { CLUSTER, byNumber, labelOfStep, machineOf, machinesOf, type Step } from "../../provider/preview/step";
import { failureOf, plainText } from "../terminal/failure";
import { stepOf } from "../preview/events";
import { table } from "../terminal/text";

/** What a run did with one resource before it ended. */
interface Work {
  step: Step;
  /** `half`: the old one is gone, the new one is still to come. */
  state: "begun" | "half" | "done" | "failed";
  /** With the machine, the step, the cause and the next action. */
  error?: string;
}

/** How far a machine came. */
export interface Progress {
  machine: string;
  state: "done" | "failed" | "cut off" | "waits" | "not begun";
  /** What was under way, or what is waited for. */
  detail: string;
  /** Each with the step, the cause and the next action. */
  failures: string[];
}

/** Keeps what the engine tells of a run, for the summary of one that failed or was stopped. */
export class RunRecord {
  private readonly work = new Map<string, Work>();

  readonly onEvent = ({ resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent }: EngineEvent): void => {
    if (resourcePreEvent)
      this.note(resourcePreEvent.metadata, resourcePreEvent.metadata.op === "same" ? "done" : "begun");
    if (resOutputsEvent) this.note(resOutputsEvent.metadata, "done");
    if (resOpFailedEvent) this.note(resOpFailedEvent.metadata, "failed");
    const severity: string | undefined = diagnosticEvent?.severity;
    if (diagnosticEvent?.urn && severity === "error")
      this.explain(diagnosticEvent.urn, plainText(diagnosticEvent.message));
  };

  private note(metadata: StepEventMetadata, state: Work["state"]): void {
    const isHalf = metadata.op === "delete-replaced";
    const step = stepOf(isHalf ? { ...metadata, op: "replace" } : metadata);
    if (step)
      this.work.set(step.urn, { ...this.work.get(step.urn), step, state: isHalf && state === "done" ? "half" : state });
  }

  /** The first words are the cause. */
  private explain(urn: string, text: string): void {
    const work = this.work.get(urn);
    const error = failureOf(undefined, text);
    if (work && error !== undefined) this.work.set(urn, { ...work, state: "failed", error: work.error ?? error });
  }

  /**
   * Machine by machine, and the cluster where something failed that is of none.
   * @param configured the machines that there are to be; the engine says nothing of what it does not come to
   */
  progress(configured: readonly string[]): Progress[] {
    // What ends with the provider's own "cancelled" was stopped, and has not failed.
    const all = [...this.work.values()].map((work): Work =>
      work.error === "cancelled" ? { ...work, state: "begun" } : work,
    );
    const known = [...configured, ...machinesOf(all.map(({ step }) => step))];
    const owned = all.map((work) => ({ work, machine: machineOf(work.step, known) }));
    const failed = new Set(owned.filter(({ work }) => work.state === "failed").map(({ machine }) => machine));
    // Of one that leaves, perhaps only its node was come to.
    const machines = [...new Set([...known, ...owned.map(({ machine }) => machine)])].filter(
      (machine) => machine !== CLUSTER || failed.has(CLUSTER),
    );
    return machines.sort(byNumber).map((name) =>
      progressOf(
        name,
        owned.filter(({ machine }) => machine === name).map(({ work }) => work),
        [...failed],
      ),
    );
  }
}

function progressOf(machine: string, work: readonly Work[], failing: readonly string[]): Progress {
  const failed = work.filter(({ state }) => state === "failed");
  const failures = failed.map(({ step, error }) => `${labelOfStep(step)}: ${error ?? "it was given up"}`);
  if (failures.length > 0) return { machine, state: "failed", detail: "", failures };
  const begun = work.filter(({ state }) => state === "begun");
  if (begun.length > 0)
    return {
      machine,
      state: "cut off",
      detail: `at ${begun.map(({ step }) => labelOfStep(step)).join(", ")}`,
      failures,
    };
  if (isWhole(work)) return { machine, state: "done", detail: "", failures };
  const others = failing.filter((other) => other !== machine);
  const detail = others.length === 0 ? "" : `for ${others.join(", ")}`;
  const last = work.filter(({ step }) => step.op !== "same").at(-1);
  if (last)
    return {
      machine,
      state: "waits",
      detail: `${detail === "" ? "" : `${detail}, `}after ${labelOfStep(last.step)}`,
      failures,
    };
  return { machine, state: "not begun", detail: others.length === 0 ? "" : `it waits ${detail}`, failures };
}

/** Its node is what comes last on a machine; what leaves is done when the last of it is gone. */
function isWhole(work: readonly Work[]): boolean {
  const node = work.find(({ step }) => step.kind === "Node");
  if (node?.state !== "done") return false;
  if (node.step.op !== "delete") return true;
  return work.some(({ step }) => step.op === "delete" && step.kind === "Host");
}

/** One line for each machine, and under it what is to be known of a failure. */
export function progressText(progress: readonly Progress[]): string[] {
  const heads = table(
    progress.map(({ machine, state, detail }) => [machine, state === "failed" ? "FAILED" : state, detail]),
  );
  return progress.flatMap(({ failures }, index) => [
    heads[index] ?? "",
    ...failures.map((failure) => `  ✗ ${failure.replaceAll("\n", "\n  ")}`),
  ]);
}
