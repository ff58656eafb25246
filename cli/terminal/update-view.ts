import type { DiagnosticEvent, EngineEvent, OpMap, StepEventMetadata } from "@pulumi/pulumi/automation";
import type { Screen } from "./screen";
import { failureOf, plainText } from "./failure";
import { labelOf, seconds } from "./text";

const LIVE_LINES = 8;
const STATUS_EVERY_MS = 1_000;

interface Running {
  label: string;
  verb: string;
  since: number;
  status: string;
  /** When a status was last printed as a line. */
  said: number;
}

const VERBS: Record<string, string> = {
  create: "creating",
  update: "updating",
  delete: "deleting",
  replace: "replacing",
  read: "reading",
  refresh: "reading",
  "create-replacement": "making anew",
  "delete-replaced": "deleting the old",
};
const DONE: Record<string, string> = {
  create: "created",
  update: "updated",
  delete: "deleted",
  "create-replacement": "made anew",
  "delete-replaced": "old one deleted",
};

/** Turns Pulumi's events into lines: what starts, what it does now, what ended after how long. Keeps the errors for the end. */
export class UpdateView {
  changes: OpMap = {};
  readonly failures: string[] = [];
  private readonly running = new Map<string, Running>();
  private readonly start = Date.now();

  constructor(private readonly screen: Screen) {
    screen.show(() => this.lines());
  }

  readonly onEvent = (event: EngineEvent): void => {
    if (event.resourcePreEvent) this.begin(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent) this.end(event.resOutputsEvent.metadata);
    if (event.resOpFailedEvent) this.failed(event.resOpFailedEvent.metadata);
    if (event.diagnosticEvent) this.diagnostic(event.diagnosticEvent);
    if (event.summaryEvent) this.changes = event.summaryEvent.resourceChanges;
  };

  /** A line of our own among Pulumi's. */
  say(text: string): void {
    this.screen.line(`${this.clock()} ${text}`);
  }

  /** How many resources are other than before. */
  get changed(): number {
    return Object.entries(this.changes).reduce(
      (sum, [op, count]) => (op === "same" || op === "read" ? sum : sum + (count ?? 0)),
      0,
    );
  }

  private begin(metadata: StepEventMetadata): void {
    if (!isWork(metadata)) return;
    const verb = VERBS[metadata.op] ?? metadata.op;
    this.running.set(metadata.urn, { label: labelOf(metadata.urn), verb, since: Date.now(), status: "", said: 0 });
    if (!this.screen.live && metadata.op !== "refresh") this.say(`${labelOf(metadata.urn)}: ${verb}`);
  }

  private end(metadata: StepEventMetadata): void {
    const work = this.running.get(metadata.urn);
    this.running.delete(metadata.urn);
    const done = DONE[metadata.op];
    if (work && done) this.say(`${work.label}: ${done} in ${seconds(work.since)}`);
  }

  private failed(metadata: StepEventMetadata): void {
    const work = this.running.get(metadata.urn);
    this.running.delete(metadata.urn);
    if (work) this.say(`${work.label}: FAILED after ${seconds(work.since)}`);
  }

  private diagnostic(event: DiagnosticEvent): void {
    const severity: string = event.severity;
    if (severity === "debug") return; // debug messages hold secrets in plain text
    const text = plainText(event.message);
    if (event.ephemeral) return this.status(event.urn, text);
    if (severity === "error") return this.keep(failureOf(event.urn, text));
    if (text !== "")
      this.say(`${event.urn ? `${labelOf(event.urn)}: ` : ""}${severity === "warning" ? "warning: " : ""}${text}`);
  }

  private keep(failure: string | undefined): void {
    if (failure && !this.failures.includes(failure)) this.failures.push(failure);
  }

  private status(urn: string | undefined, text: string): void {
    const work = urn ? this.running.get(urn) : undefined;
    if (!work || text === "" || text === work.status) return;
    work.status = text;
    if (this.screen.live || Date.now() - work.said < STATUS_EVERY_MS) return;
    work.said = Date.now();
    this.say(`${work.label}: ${text}`);
  }

  private lines(): string[] {
    const all = [...this.running.values()].sort((one, other) => one.since - other.since);
    const shown = all
      .slice(0, LIVE_LINES)
      .map((work) => `  ${seconds(work.since).padStart(6)}  ${work.label}: ${work.status || work.verb}`);
    const more = all.length > LIVE_LINES ? [`          and ${all.length - LIVE_LINES} more`] : [];
    return all.length > 0 ? [`${this.clock()} at work on ${all.length}`, ...shown, ...more] : [];
  }

  private clock(): string {
    return `[${seconds(this.start).padStart(7)}]`;
  }
}

/** The stack and components group others and do nothing themselves; what stays the same is not worth a line. */
function isWork(metadata: StepEventMetadata): boolean {
  return (
    metadata.provider !== "" &&
    metadata.op !== "same" &&
    VERBS[metadata.op] !== undefined &&
    !metadata.type.startsWith("pulumi:")
  );
}
