import type { EngineEvent, PreviewOptions, Stack, StepEventMetadata } from "@pulumi/pulumi/automation";
import type { Step } from "../../provider/preview/step";
import type { Session } from "../engine/session";
import { plainText } from "../terminal/engine-errors";
import { stepsOf } from "../engine/events";

export interface PreviewResult {
  steps: Step[];
  /** Warnings of the provider, for example about machines that could not be read or were rebooted. */
  notices: string[];
}

/** Asks the engine what a run will change; changes nothing. */
export async function runPreview(
  stack: Stack,
  session: Pick<Session, "signal">,
  options: Pick<PreviewOptions, "refresh" | "replace" | "configFile"> = {},
): Promise<PreviewResult> {
  const events: StepEventMetadata[] = [];
  const notices = new Set<string>();
  const onEvent = ({ resourcePreEvent, diagnosticEvent }: EngineEvent) => {
    if (resourcePreEvent) events.push(resourcePreEvent.metadata);
    if (diagnosticEvent?.severity === "warning") notices.add(plainText(diagnosticEvent.message));
  };
  await stack.preview({ ...options, onEvent, signal: session.signal, color: "never" });
  return { steps: stepsOf(events), notices: [...notices] };
}
