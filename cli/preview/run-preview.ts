import type { EngineEvent, PreviewOptions, Stack, StepEventMetadata } from "@pulumi/pulumi/automation";
import type { Step } from "../../provider/preview/step";
import type { Session } from "../engine/session";
import { stepsOf } from "../engine/events";
import { Diagnostics } from "../terminal/diagnostics";

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
  const diagnostics = new Diagnostics();
  const onEvent = (event: EngineEvent) => {
    if (event.resourcePreEvent) events.push(event.resourcePreEvent.metadata);
    diagnostics.onEvent(event);
  };
  try {
    await stack.preview({ ...options, onEvent, signal: session.signal, color: "never" });
  } catch (error) {
    session.signal.throwIfAborted();
    // The command's own message has the first line of each failure only.
    if (diagnostics.failures.length === 0) throw error;
    throw new Error(diagnostics.failures.join("\n"), { cause: error });
  }
  return { steps: stepsOf(events), notices: [...new Set(diagnostics.warnings.map(({ text }) => text))] };
}
