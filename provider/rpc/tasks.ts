import type { EngineLog } from "./engine";
import type { ProviderContext } from "../context";
import type { Context } from "./handler";

/** `urn:pulumi:stack::project::parent$type::name` */
export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").pop() ?? "";
}

export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** The work under way: each piece gets a signal that Ctrl-C and its own deadline abort. */
export class Tasks {
  private readonly running = new Set<AbortController>();
  private cancelled = false;

  constructor(
    private readonly log: EngineLog,
    readonly provider: ProviderContext,
  ) {}

  async run<T>(
    operation: string,
    urn: string,
    timeoutSeconds: number,
    work: (context: Context) => Promise<T>,
  ): Promise<T> {
    if (this.cancelled) throw new Error("cancelled");
    const abort = new AbortController();
    this.running.add(abort);
    const deadline =
      timeoutSeconds > 0 ? setTimeout(() => abort.abort(timedOut(timeoutSeconds)), timeoutSeconds * 1000) : undefined;
    const sent: Promise<void>[] = [];
    const { clock, trace } = this.provider;
    const start = clock.now();
    try {
      return await work(this.context(urn, abort.signal, sent));
    } finally {
      clearTimeout(deadline);
      this.running.delete(abort);
      trace({ urn, type: typeOf(urn), name: nameOf(urn), op: operation, start, end: clock.now() });
      await Promise.all(sent); // else the last words arrive after the engine has closed the resource's line
    }
  }

  private context(urn: string, signal: AbortSignal, sent: Promise<void>[]): Context {
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

  /** The engine cancels at the end of every run, so this is silent. */
  cancel(): void {
    this.cancelled = true;
    for (const abort of this.running) abort.abort(new Error("cancelled"));
  }

  /** A provider that is attached to again starts afresh. */
  resume(): void {
    this.cancelled = false;
  }
}

function timedOut(seconds: number): Error {
  return new Error(`timed out after ${seconds} s (customTimeouts)`);
}
