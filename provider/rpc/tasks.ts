import { setMaxListeners } from "node:events";
import { messageOf } from "../../common/errors";
import { startDeadline } from "../../common/timer";
import type { ProviderContext } from "../context/context";
import type { EngineLog } from "./engine";
import { PartialFailure, type Context } from "./handler";

/** `urn:pulumi:stack::project::parent$type::name` */
export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").pop() ?? "";
}

export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

interface Begun {
  id: string;
  outputs: object;
}

/** Operations in progress. Each has a signal that Ctrl-C and its own deadline abort. */
export class Tasks {
  private readonly running = new Set<AbortController>();
  private cancelled = false;

  constructor(
    private readonly log: EngineLog,
    readonly provider: ProviderContext,
  ) {}

  /**
   * Runs one operation of a handler.
   * @param timeoutSeconds customTimeouts; 0 for none
   * @param recorded the resource's recorded state
   * @throws PartialFailure when the operation fails after `context.begin`
   */
  async run<T>(
    operation: string,
    urn: string,
    timeoutSeconds: number,
    work: (context: Context) => Promise<T>,
    recorded: { id?: string; outputs?: object } = {},
  ): Promise<T> {
    if (this.cancelled) throw new Error("cancelled");
    const { clock, trace } = this.provider;
    const abort = new AbortController();
    setMaxListeners(0, abort.signal); // each remote command in progress listens to it
    this.running.add(abort);
    const deadline = armDeadline(abort, timeoutSeconds);
    const sent: Promise<void>[] = [];
    const start = clock.now();
    let begun: Begun | undefined;
    const begin: Context["begin"] = (id = recorded.id ?? nameOf(urn), outputs = {}) =>
      (begun = { id, outputs: { ...recorded.outputs, ...outputs } });
    const undo = () => (begun = undefined);
    try {
      return await work({ ...this.context(urn, abort.signal, sent), begin, undo });
    } catch (error) {
      throw asPartial(error, begun);
    } finally {
      clearTimeout(deadline);
      this.running.delete(abort);
      trace({ urn, type: typeOf(urn), name: nameOf(urn), op: operation, start, end: clock.now() });
      await Promise.all(sent); // otherwise the last messages arrive after the engine has closed the resource's line
    }
  }

  private context(urn: string, signal: AbortSignal, sent: Promise<void>[]): Omit<Context, "begin" | "undo"> {
    const send = (...line: Parameters<EngineLog["send"]>) => void sent.push(this.log.send(...line));
    return {
      ...this.provider,
      urn,
      name: nameOf(urn),
      signal,
      status: (message) => send("INFO", urn, message, true),
      info: (message) => send("INFO", urn, message),
      warn: (message) => send("WARNING", urn, message),
    };
  }

  /** Aborts all operations. The engine cancels at the end of every run, so this prints nothing. */
  cancel(): void {
    this.cancelled = true;
    for (const abort of this.running) abort.abort(new Error("cancelled"));
  }

  /** Accepts operations again, when another engine attaches to the provider. */
  resume(): void {
    this.cancelled = false;
  }
}

function armDeadline(abort: AbortController, seconds: number): NodeJS.Timeout | undefined {
  if (seconds <= 0) return undefined;
  return startDeadline(seconds, () => abort.abort(new Error(`timed out after ${seconds} s (customTimeouts)`)));
}

function asPartial(error: unknown, begun: Begun | undefined): unknown {
  if (begun === undefined || error instanceof PartialFailure) return error;
  return new PartialFailure(messageOf(error), begun.id, begun.outputs);
}
