import type { EngineEvent, PreviewOptions, Stack, StepEventMetadata } from "@pulumi/pulumi/automation";
import type { Step } from "../../provider/preview/step";
import type { Session } from "../engine/session";
import { failureOf, mergeFailures, plainText } from "../terminal/engine-errors";
import { stepsOf } from "../engine/events";

export interface PreviewResult {
  steps: Step[];
  /** Warnings of the provider, for example about machines that could not be read or were rebooted. */
  notices: string[];
}

/**
 * Asks the engine what a run will change; changes nothing.
 * @throws Error with all failures that the engine reported
 */
export async function runPreview(
  stack: Stack,
  session: Pick<Session, "signal">,
  options: Pick<PreviewOptions, "refresh" | "replace" | "configFile"> = {},
): Promise<PreviewResult> {
  const events: StepEventMetadata[] = [];
  const notices = new Set<string>();
  const failures = new Set<string>();
  const onEvent = ({ resourcePreEvent, diagnosticEvent }: EngineEvent) => {
    if (resourcePreEvent) events.push(resourcePreEvent.metadata);
    const severity: string | undefined = diagnosticEvent?.severity;
    const text = plainText(diagnosticEvent?.message ?? "");
    if (severity === "warning") notices.add(text);
    const failure = severity === "error" ? failureOf(diagnosticEvent?.urn, text) : undefined;
    if (failure !== undefined) failures.add(failure);
  };
  try {
    await stack.preview({ ...options, onEvent, signal: session.signal, color: "never" });
  } catch (error) {
    session.signal.throwIfAborted();
    // The command's own message has the first line of each failure only.
    if (failures.size === 0) throw error;
    throw new Error(mergeFailures([...failures]).join("\n"), { cause: error });
  }
  return { steps: stepsOf(events), notices: [...notices] };
}
