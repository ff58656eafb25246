import type { EngineEvent, PreviewOptions, Stack, StepEventMetadata } from "@pulumi/pulumi/automation";
import { type Op, type Step, valuesOf } from "../../../provider/words/step";
import { plainText } from "../failure";
import type { Session } from "../operate";

export interface Foreseen {
  steps: Step[];
  /** What was noticed on the way: machines that could not be looked at, or were rebooted. */
  notices: string[];
}

const OPS: Record<string, Op> = { same: "same", create: "create", update: "update", delete: "delete", replace: "replace", "create-replacement": "replace" };

/** Asks the engine what a run would do, which changes nothing. */
export async function foresee(stack: Stack, session: Pick<Session, "signal">, options: Pick<PreviewOptions, "refresh" | "replace" | "configFile"> = {}): Promise<Foreseen> {
  const told: StepEventMetadata[] = [];
  const notices = new Set<string>();
  const onEvent = ({ resourcePreEvent, diagnosticEvent }: EngineEvent) => {
    if (resourcePreEvent) told.push(resourcePreEvent.metadata);
    if (diagnosticEvent?.severity === "warning") notices.add(plainText(diagnosticEvent.message));
  };
  await stack.preview({ ...options, onEvent, signal: session.signal, color: "never" });
  return { steps: stepsOf(told), notices: [...notices] };
}

/** One for each resource. Of a replacement the last event says what is new, and why. */
export function stepsOf(told: readonly StepEventMetadata[]): Step[] {
  return [...new Map(told.map(stepOf).flatMap((step) => (step ? [[step.urn, step]] : []))).values()];
}

/** Undefined for what groups others, and for the half of a replacement that says nothing new. */
export function stepOf({ op, urn, type, provider, old, new: news, keys, detailedDiff }: StepEventMetadata): Step | undefined {
  const known = OPS[op];
  if (known === undefined || provider === "" || type.startsWith("pulumi:")) return undefined;
  const found = valuesOf(old?.inputs);
  const wanted = known === "delete" ? {} : valuesOf(news?.inputs ?? old?.inputs);
  const differences = Object.entries(detailedDiff ?? {});
  const replacing = differences.filter(([, { diffKind }]) => diffKind.endsWith("-replace")).map(([path]) => path);
  return {
    op: known, urn, type, kind: type.split(":").pop() ?? "", name: urn.split("::").slice(3).join("::"), found, wanted,
    paths: differences.map(([path]) => path),
    replacing: replacing.length > 0 ? replacing : (keys ?? []),
  };
}

/** The names of the cluster's machines, also of those that go or come. */
export function machinesOf(steps: readonly Step[]): string[] {
  return steps.filter(({ type }) => type === "kubewright:host:Host").map(({ name }) => name.replace(/-host$/, ""));
}
