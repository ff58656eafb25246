import type { DiagnosticEvent, EngineEvent, OpMap, StepEventMetadata } from "@pulumi/pulumi/automation";
import type { Screen } from "./screen";
import { failureOf, plainText } from "./engine-errors";
import { isVerbose } from "./output-mode";
import { labelOf, seconds } from "./text";

/** Without a live screen, the least time between two status lines of a resource. */
const STATUS_INTERVAL_MS = 1_000;

interface Running {
  label: string;
  since: number;
  status: string;
  /** Time of the last status line. */
  printed: number;
}

/** What the engine does with a resource, by its operation. */
export const VERBS: Record<string, string> = {
  create: "creating",
  update: "updating",
  delete: "deleting",
  replace: "replacing",
  read: "reading",
  refresh: "reading",
  "create-replacement": "recreating",
  "delete-replaced": "deleting the old one",
};
/** What the engine has done, by its operation. */
export const DONE: Record<string, string> = {
  create: "created",
  update: "updated",
  delete: "deleted",
  "create-replacement": "recreated",
  "delete-replaced": "old one deleted",
};

/**
 * Prints the engine's events as progress lines, and collects errors and totals for the end. On a live screen, where
 * each machine has a line of its own, it prints only failures and messages.
 */
export class UpdateView {
  changes: OpMap = {};
  readonly failures: string[] = [];
  private readonly running = new Map<string, Running>();
  private readonly start = Date.now();

  constructor(private readonly screen: Screen) {}

  readonly onEvent = (event: EngineEvent): void => {
    if (event.resourcePreEvent) this.onStart(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent) this.onEnd(event.resOutputsEvent.metadata);
    if (event.resOpFailedEvent) this.onFailure(event.resOpFailedEvent.metadata);
    if (event.diagnosticEvent) this.onDiagnostic(event.diagnosticEvent);
    if (event.summaryEvent) this.changes = event.summaryEvent.resourceChanges;
  };

  /** Prints a line with the elapsed time. */
  print(text: string): void {
    this.screen.line(`${this.clock()} ${text}`);
  }

  /** Number of changed resources. */
  get changed(): number {
    return Object.entries(this.changes).reduce(
      (sum, [op, count]) => (op === "same" || op === "read" ? sum : sum + (count ?? 0)),
      0,
    );
  }

  private onStart(metadata: StepEventMetadata): void {
    if (!isWork(metadata)) return;
    const label = labelOf(metadata.urn);
    this.running.set(metadata.urn, { label, since: Date.now(), status: "", printed: 0 });
    if (!this.screen.live && metadata.op !== "refresh") this.print(`${label}: ${VERBS[metadata.op] ?? metadata.op}`);
  }

  private onEnd(metadata: StepEventMetadata): void {
    const work = this.running.get(metadata.urn);
    this.running.delete(metadata.urn);
    const done = DONE[metadata.op];
    if (work && done && !this.screen.live) this.print(`${work.label}: ${done} in ${seconds(work.since)}`);
  }

  private onFailure(metadata: StepEventMetadata): void {
    const work = this.running.get(metadata.urn);
    this.running.delete(metadata.urn);
    if (work) this.print(`${work.label}: FAILED after ${seconds(work.since)}`);
  }

  private onDiagnostic(event: DiagnosticEvent): void {
    const severity: string = event.severity;
    if (severity === "debug") return; // debug messages contain secrets in plain text
    const text = plainText(event.message);
    if (event.ephemeral) return this.status(event.urn, text);
    if (severity === "error") return this.keep(failureOf(event.urn, text));
    if (text !== "")
      this.print(`${event.urn ? `${labelOf(event.urn)}: ` : ""}${severity === "warning" ? "warning: " : ""}${text}`);
  }

  private keep(failure: string | undefined): void {
    if (failure && !this.failures.includes(failure)) this.failures.push(failure);
  }

  private status(urn: string | undefined, text: string): void {
    const work = urn ? this.running.get(urn) : undefined;
    if (!work || text === "" || text === work.status) return;
    work.status = text;
    if (this.screen.live || (!isVerbose() && Date.now() - work.printed < STATUS_INTERVAL_MS)) return;
    work.printed = Date.now();
    this.print(`${work.label}: ${text}`);
  }

  private clock(): string {
    return `[${seconds(this.start).padStart(7)}]`;
  }
}

/** Whether a step changes or reads a resource; the stack and components only group others. */
function isWork(metadata: StepEventMetadata): boolean {
  return (
    metadata.provider !== "" &&
    metadata.op !== "same" &&
    VERBS[metadata.op] !== undefined &&
    !metadata.type.startsWith("pulumi:")
  );
}
