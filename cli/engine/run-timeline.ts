import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";
import { z } from "zod";
import { byNumber, labelOfStep, machineOf, machinesOf, type Step } from "../../provider/preview/step";
import { stepOf } from "./events";

const spanSchema = z.object({
  urn: z.string(),
  /** `Unit worker-1-kubelet` */
  label: z.string(),
  /** Machine of the resource; `cluster` for resources that belong to none. */
  machine: z.string(),
  op: z.enum(["create", "update", "delete"]),
  /** Milliseconds since the start of the run. */
  start: z.number(),
  end: z.number(),
  state: z.enum(["done", "failed", "interrupted"]),
});

/** The work of a run on one resource. */
export type RunSpan = z.infer<typeof spanSchema>;

export const timelineSchema = z.object({
  /** ISO 8601. */
  start: z.iso.datetime(),
  /** Milliseconds from the start of the engine to its end. */
  duration: z.number(),
  /** `creation` if the run created all machines of the cluster. */
  kind: z.enum(["creation", "upgrade", "update"]),
  /** Versions of Kubernetes before and after an upgrade. */
  from: z.string().optional(),
  to: z.string().optional(),
  outcome: z.enum(["succeeded", "failed", "interrupted"]),
  /** Errors that the engine reported. */
  failures: z.array(z.string()),
  /** In the order in which they began. */
  spans: z.array(spanSchema),
});

/** What a run did, and when. */
export type RunTimeline = z.infer<typeof timelineSchema>;

const OPS: Readonly<Record<string, RunSpan["op"]>> = {
  create: "create",
  "create-replacement": "create",
  update: "update",
  delete: "delete",
  "delete-replaced": "delete",
};

interface Work extends Omit<RunSpan, "machine"> {
  step: Step;
}

/** Records from the engine's events when the work on each resource began and ended. */
export class TimelineRecorder {
  private readonly work: Work[] = [];
  private readonly hosts = new Map<string, Step>();
  private readonly begin: number;

  constructor(private readonly now: () => number = Date.now) {
    this.begin = now();
  }

  readonly onEvent = ({ resourcePreEvent, resOutputsEvent, resOpFailedEvent }: EngineEvent): void => {
    if (resourcePreEvent) this.onStart(resourcePreEvent.metadata);
    if (resOutputsEvent) this.onEnd(resOutputsEvent.metadata, "done");
    if (resOpFailedEvent) this.onEnd(resOpFailedEvent.metadata, "failed");
  };

  /** Whether the run changed a resource, or tried to. */
  get hasWork(): boolean {
    return this.work.length > 0;
  }

  finish(outcome: RunTimeline["outcome"], failures: readonly string[]): RunTimeline {
    const duration = this.elapsed();
    const machines = machinesOf([...this.hosts.values()]);
    return {
      start: new Date(this.begin).toISOString(),
      duration,
      ...this.kind(),
      outcome,
      failures: [...failures],
      spans: this.work.map(({ step, ...span }) => ({
        ...span,
        machine: machineOf(step, machines),
        end: span.state === "interrupted" ? duration : span.end,
      })),
    };
  }

  private onStart(metadata: StepEventMetadata): void {
    const op = OPS[metadata.op];
    const step = stepOf(op === "delete" ? { ...metadata, op } : metadata);
    if (!step) return;
    if (step.kind === "Host" && !this.hosts.has(step.urn)) this.hosts.set(step.urn, step);
    if (op === undefined) return;
    const [start, label] = [this.elapsed(), labelOfStep(step)];
    this.work.push({ step, urn: step.urn, label, op, start, end: start, state: "interrupted" });
  }

  private onEnd(metadata: StepEventMetadata, state: RunSpan["state"]): void {
    const op = OPS[metadata.op];
    const work = this.work.findLast((one) => one.urn === metadata.urn && one.op === op && one.state === "interrupted");
    if (work) Object.assign(work, { state, end: this.elapsed() });
  }

  private kind(): Pick<RunTimeline, "kind" | "from" | "to"> {
    const hosts = [...this.hosts.values()];
    if (hosts.length > 0 && hosts.every(({ op }) => op === "create")) return { kind: "creation" };
    const [upgrade] = this.work
      .map(({ step }) => step)
      .filter(({ kind, op, paths }) => kind === "Node" && op === "update" && paths.includes("version"))
      .sort((one, other) => byNumber(one.name, other.name));
    const [from, to] = [upgrade?.current.version, upgrade?.desired.version];
    if (typeof from !== "string" || typeof to !== "string") return { kind: "update" };
    return { kind: "upgrade", from, to };
  }

  private elapsed(): number {
    return this.now() - this.begin;
  }
}
