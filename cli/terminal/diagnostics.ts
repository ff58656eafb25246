import type { EngineEvent } from "@pulumi/pulumi/automation";
import { failureOf, mergeFailures, plainText } from "./engine-errors";
import { labelOf } from "./text";

/** A warning of the provider or the engine. */
export interface Warning {
  text: string;
  /** The resource that it is about: `Host worker-1-host`. */
  resource?: string;
}

/** Collects the errors and warnings that the engine reports in a run, each one once. */
export class Diagnostics {
  private readonly errors = new Set<string>();
  private readonly warningOf = new Map<string, Warning>();

  /** For `onEvent` of the engine's commands. */
  readonly onEvent = ({ diagnosticEvent }: EngineEvent): void => {
    if (!diagnosticEvent || diagnosticEvent.ephemeral) return;
    const { urn, message } = diagnosticEvent;
    const severity: string = diagnosticEvent.severity;
    const text = plainText(message);
    const resource = urn ? labelOf(urn) : undefined;
    if (severity === "warning" && text !== "") this.warningOf.set(`${resource}: ${text}`, { text, resource });
    const failure = severity === "error" ? failureOf(urn, text) : undefined;
    if (failure !== undefined) this.errors.add(failure);
  };

  /** Errors after the names of their resources; resources with the same error share one entry. */
  get failures(): string[] {
    return mergeFailures([...this.errors]);
  }

  get warnings(): Warning[] {
    return [...this.warningOf.values()];
  }
}
