import type { EngineEvent } from "@pulumi/pulumi/automation";

/** How long no step runs before the run counts as stalled. Between two steps of a machine about 10 ms pass. */
const QUIET_MS = 5_000;

const CHANGES = ["create", "update", "delete", "create-replacement", "delete-replaced"];

/**
 * Ends a run that waits forever. With `continueOnError` the engine (3.255) never ends after it failed to delete a
 * resource that is about to be replaced, such as a node whose drain fails. All other steps finish first.
 */
export class StallDetector {
  private readonly running = new Set<string>();
  private hasFailedDelete = false;
  private timer: NodeJS.Timeout | undefined;

  /** @param onStall ends the run */
  constructor(
    private readonly onStall: () => void,
    private readonly quiet = QUIET_MS,
  ) {}

  readonly onEvent = ({ resourcePreEvent, resOutputsEvent, resOpFailedEvent }: EngineEvent): void => {
    const started = resourcePreEvent?.metadata;
    const ended = (resOutputsEvent ?? resOpFailedEvent)?.metadata;
    if (started && CHANGES.includes(started.op)) this.running.add(started.urn);
    if (ended) this.running.delete(ended.urn);
    if (resOpFailedEvent?.metadata.op === "delete-replaced") this.hasFailedDelete = true;
    this.close();
    if (this.hasFailedDelete && this.running.size === 0) this.timer = setTimeout(this.onStall, this.quiet);
  };

  close(): void {
    clearTimeout(this.timer);
  }
}
