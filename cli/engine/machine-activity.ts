import type { DiagnosticEvent, EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";
import { printable } from "../../common/printable";
import { byNumber, CLUSTER, labelOfStep, machineOf, machinesOf, type Step } from "../../provider/preview/step";
import { plainText } from "../terminal/engine-errors";
import type { MachineRow } from "../terminal/machine-lines";
import { shortLabel } from "../terminal/text";
import { DONE, VERBS } from "../terminal/update-view";
import type { ConfiguredMachines } from "./configured-machines";
import { stepOf } from "./events";
import { isComplete, type WorkState } from "./run-record";

/** What the run does with one resource. */
interface Work {
  step: Step;
  state: WorkState;
  /** Whether the run changes the resource, and does not only read it or leave it as it is. */
  isChange: boolean;
  /** The status that the provider reported last, or the kind of change. */
  text: string;
  /**
   * When the work on the resource and this part of it began, when it ended, and when the text changed last:
   * milliseconds since the epoch. A replacement has two parts.
   */
  first: number;
  start: number;
  end: number;
  changed: number;
}

interface Machine {
  name: string;
  work: readonly Work[];
  running: readonly Work[];
  changes: readonly Work[];
}

/** A machine still shows its last step for this time, because the next one usually begins earlier. */
const PAUSE_MS = 1_000;
/** Names of machines that are shown as a reason to wait. */
const MOST_REASONS = 2;

/** Follows the engine's events to know what each machine does, and what it waits for. */
export class MachineActivity {
  private readonly work = new Map<string, Work>();
  private readonly begin: number;
  private configured: ConfiguredMachines = { names: [], controlPlanes: [], hasNodes: true };

  /** @param now milliseconds since the epoch, for tests */
  constructor(private readonly now: () => number = Date.now) {
    this.begin = now();
  }

  /** Milliseconds since the start of the run. */
  get elapsed(): number {
    return this.now() - this.begin;
  }

  /** Adds what the engine does not report. */
  configure(machines: ConfiguredMachines): void {
    this.configured = machines;
  }

  readonly onEvent = ({ resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent }: EngineEvent): void => {
    if (resourcePreEvent) this.onStart(resourcePreEvent.metadata);
    if (resOutputsEvent) this.onEnd(resOutputsEvent.metadata, "done");
    if (resOpFailedEvent) this.onEnd(resOpFailedEvent.metadata, "failed");
    if (diagnosticEvent?.ephemeral) this.onStatus(diagnosticEvent);
  };

  /** Returns the machines that the run works on or has yet to reach, and the cluster while a step of it runs. */
  rows(): MachineRow[] {
    const machines = this.machines();
    return machines.flatMap((machine) => {
      const row = this.rowOf(machine, machines);
      return row ? [{ machine: machine.name, ...row }] : [];
    });
  }

  private onStart(metadata: StepEventMetadata): void {
    const { op } = metadata;
    const isRead = op === "refresh" || op === "read";
    if (op === "replace") return; // the deletion and the creation have events of their own
    const step = stepOf({ ...metadata, op: isRead ? "same" : op === "delete-replaced" ? "replace" : op });
    if (!step) return;
    const now = this.now();
    const isChange = !isRead && op !== "same";
    const state = op === "same" ? "done" : "begun";
    const before = this.work.get(step.urn);
    const times = { first: before?.isChange ? before.first : now, start: now, end: now, changed: now };
    this.work.set(step.urn, { step, state, isChange, text: VERBS[op] ?? op, ...times });
  }

  private onEnd({ urn, op }: StepEventMetadata, state: "done" | "failed"): void {
    const work = this.work.get(urn);
    if (work?.state !== "begun" || op === "replace") return;
    if (!work.isChange) return void this.work.delete(urn); // whether it is changed is decided later
    const isHalf = op === "delete-replaced" && state === "done";
    this.work.set(urn, { ...work, state: isHalf ? "deleted" : state, text: DONE[op] ?? "done", end: this.now() });
  }

  private onStatus({ urn, message, ...event }: DiagnosticEvent): void {
    const severity: string = event.severity;
    if (severity === "debug") return; // debug messages contain secrets in plain text
    const work = urn ? this.work.get(urn) : undefined;
    const [text = ""] = printable(plainText(message)).trim().split("\n");
    if (work?.state === "begun" && text !== "") Object.assign(work, { text, changed: this.now() });
  }

  private machines(): Machine[] {
    const all = [...this.work.values()];
    const names = [...this.configured.names, ...machinesOf(all.map(({ step }) => step))];
    const owned = new Map<string, Work[]>(names.map((name) => [name, []]));
    for (const work of all) {
      const machine = machineOf(work.step, names);
      const others = owned.get(machine);
      if (others) others.push(work);
      else owned.set(machine, [work]);
    }
    return [...owned]
      .map(([name, work]) => ({
        name,
        work,
        running: work.filter(({ state }) => state === "begun"),
        changes: work.filter(({ isChange }) => isChange),
      }))
      .sort((one, other) => byNumber(one.name, other.name));
  }

  private rowOf(machine: Machine, all: readonly Machine[]): Omit<MachineRow, "machine"> | undefined {
    const { name, work, running, changes } = machine;
    const current = lastBy(running, "changed");
    if (current) return { state: "busy", text: busyText(machine, current), time: this.now() - current.start };
    const last = lastBy(changes, "end");
    const failed = changes.find(({ state }) => state === "failed");
    if (failed) return { state: "failed", text: `FAILED: ${shortName(failed, name)}`, time: this.now() - failed.end };
    if (name === CLUSTER) return undefined;
    if (!last) return work.length === 0 ? this.unreached(machine, all) : undefined;
    if (isComplete(work)) return { state: "done", text: resultOf(work), time: last.end - firstStart(changes) };
    const time = this.now() - last.end;
    const reason = time < PAUSE_MS ? undefined : this.reason(machine, all);
    return { state: "waiting", text: reason ?? `${shortName(last, name)}: ${last.text}`, time };
  }

  /** A machine that the engine has not reached, although it has begun others. */
  private unreached(machine: Machine, all: readonly Machine[]): Omit<MachineRow, "machine"> | undefined {
    if (!all.some(({ changes }) => changes.length > 0)) return undefined;
    return { state: "waiting", text: this.reason(machine, all) ?? "not started", time: this.elapsed };
  }

  /**
   * What a machine without a running step waits for. The engine does not report dependencies, but the order of work is
   * known: workers wait for control planes, and these for one another. Only the first checks and a rolling update make
   * a machine wait for workers.
   */
  private reason({ name }: Machine, all: readonly Machine[]): string | undefined {
    if (!this.configured.hasNodes) return undefined;
    const others = all.filter((machine) => machine.name !== name);
    const busy = others.filter(({ running }) => running.length > 0);
    const failed = others.filter(({ changes }) => changes.some(({ state }) => state === "failed"));
    const groups = [
      busy.filter((machine) => this.configured.controlPlanes.includes(machine.name)),
      busy.filter((machine) => machine.name === CLUSTER),
      busy,
      failed,
    ];
    const reasons = groups.find((group) => group.length > 0)?.map(reasonName) ?? [];
    const more = reasons.length - MOST_REASONS;
    if (reasons.length === 0) return undefined;
    return `waits for ${reasons.slice(0, MOST_REASONS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  }
}

function reasonName({ name, running, changes }: Machine): string {
  const current = lastBy(running.length > 0 ? running : changes, "changed");
  return name === CLUSTER && current ? labelOfStep(current.step) : name;
}

function busyText({ name, running }: Machine, current: Work): string {
  const more = running.length > 1 ? ` (and ${running.length - 1} more)` : "";
  return `${shortName(current, name)}: ${current.text}${more}`;
}

function shortName({ step }: Work, machine: string): string {
  return shortLabel(labelOfStep(step), machine);
}

function resultOf(work: readonly Work[]): string {
  return work.some(({ step }) => step.kind === "Node" && step.op === "delete") ? "removed" : "ready";
}

function firstStart(work: readonly Work[]): number {
  return Math.min(...work.map(({ first }) => first));
}

function lastBy(work: readonly Work[], key: "changed" | "end"): Work | undefined {
  return work.reduce<Work | undefined>((last, one) => (last && last[key] > one[key] ? last : one), undefined);
}
