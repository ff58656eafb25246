import type { EngineEvent, PreviewOptions, Stack, StepEventMetadata } from "@pulumi/pulumi/automation";
import type { Step } from "../../provider/preview/step";
import { plainText } from "../terminal/failure";
import type { Session } from "../engine/operate";
import { stepsOf } from "./events";

export interface Foreseen {
  steps: Step[];
  /** What was noticed on the way: machines that could not be looked at, or were rebooted. */
  notices: string[];
}

/** Asks the engine what a run would do, which changes nothing. */
export async function foresee(
  stack: Stack,
  session: Pick<Session, "signal">,
  options: Pick<PreviewOptions, "refresh" | "replace" | "configFile"> = {},
): Promise<Foreseen> {
  const told: StepEventMetadata[] = [];
  const notices = new Set<string>();
  const onEvent = ({ resourcePreEvent, diagnosticEvent }: EngineEvent) => {
    if (resourcePreEvent) told.push(resourcePreEvent.metadata);
    if (diagnosticEvent?.severity === "warning") notices.add(plainText(diagnosticEvent.message));
  };
  await stack.preview({ ...options, onEvent, signal: session.signal, color: "never" });
  return { steps: stepsOf(told), notices: [...notices] };
}
