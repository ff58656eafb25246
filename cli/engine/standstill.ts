import type { EngineEvent } from "@pulumi/pulumi/automation";

/** How long nothing is under way before a run counts as standing still. Between two steps of one machine it is some 10 ms. */
const QUIET_MS = 5_000;

const WORK = ["create", "update", "delete", "create-replacement", "delete-replaced"];

/**
 * Told to go on after errors, the engine (3.255) waits for ever once it cannot delete what must go before something is made anew: a
 * drain that fails. Everything else goes on meanwhile; when that is at its end too, the run is ended.
 */
export class Standstill {
  private readonly underWay = new Set<string>();
  private hasFailed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly end: () => void,
    private readonly quiet = QUIET_MS,
  ) {}

  readonly onEvent = ({ resourcePreEvent, resOutputsEvent, resOpFailedEvent }: EngineEvent): void => {
    const begun = resourcePreEvent?.metadata;
    const ended = (resOutputsEvent ?? resOpFailedEvent)?.metadata;
    if (begun && WORK.includes(begun.op)) this.underWay.add(begun.urn);
    if (ended) this.underWay.delete(ended.urn);
    if (resOpFailedEvent?.metadata.op === "delete-replaced") this.hasFailed = true;
    this.close();
    if (this.hasFailed && this.underWay.size === 0) this.timer = setTimeout(this.end, this.quiet);
  };

  close(): void {
    clearTimeout(this.timer);
  }
}
