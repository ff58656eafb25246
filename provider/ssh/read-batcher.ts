import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { orAborted } from "../../common/wait";
import { batchScript, splitResults, type ScriptResult } from "./batch-script";
import { ConnectionError, RootError } from "./errors";

/** Milliseconds for which reads are collected: the engine refreshes all resources of a machine in parallel. */
const GATHER_MS = 10;
/** Bytes of scripts in one command. Linux accepts 128 KiB, and quoting makes scripts longer. */
const LONGEST_BATCH = 48 << 10;

interface PendingRead {
  script: string;
  context: ReadContext;
  resolve: (result: ScriptResult | Promise<ScriptResult>) => void;
  reject: (reason: Error) => void;
}

export interface ReadContext {
  /** What is read, for the error. */
  step: string;
  signal: AbortSignal;
}

/** Runs one script. It throws if the script cannot be run, whatever its exit code. */
export type Run = (script: string, context: ReadContext) => Promise<ScriptResult>;

/** Combines the reads of one machine, so that they need few round trips. */
export class ReadBatcher {
  private pending: PendingRead[] = [];

  constructor(private readonly run: Run) {}

  /** Runs a script in one command with those of other callers. It must only read, and needs no input. */
  async read(script: string, context: ReadContext): Promise<ScriptResult> {
    const result = new Promise<ScriptResult>((resolve, reject) =>
      this.pending.push({ script, context, resolve, reject }),
    );
    if (this.pending.length === 1) void sleep(GATHER_MS).then(() => this.send());
    return await orAborted(result, context.signal);
  }

  private send(): void {
    for (const batch of divide(this.pending.splice(0))) void this.runBatch(batch);
  }

  private async runBatch(batch: readonly PendingRead[]): Promise<void> {
    if (batch.length === 1) return this.runEach(batch);
    const mark = randomUUID();
    const script = batchScript(
      batch.map((read) => read.script),
      mark,
    );
    const all = new AllAborted(batch.map(({ context }) => context.signal));
    try {
      const output = await this.run(script, { step: `reading ${batch.length} states`, signal: all.signal });
      const results = splitResults(output, batch.length, mark);
      // A script that hangs, or that prints too much, stops the whole batch. Run separately, each gets its own result.
      if (!results) return this.runEach(batch);
      batch.forEach(({ resolve }, index) => resolve(results[index] as ScriptResult));
    } catch (error) {
      // These errors would occur separately too, and a wrong sudo password must not be sent once per read.
      if (error instanceof ConnectionError || error instanceof RootError) batch.forEach(({ reject }) => reject(error));
      else this.runEach(batch);
    } finally {
      all.release();
    }
  }

  private runEach(batch: readonly PendingRead[]): void {
    for (const { script, context, resolve } of batch) resolve(this.run(script, context));
  }
}

function divide(reads: readonly PendingRead[]): PendingRead[][] {
  const batches: PendingRead[][] = [];
  let remaining = 0;
  for (const read of reads) {
    const bytes = Buffer.byteLength(read.script);
    if (bytes > remaining) {
      batches.push([]);
      remaining = LONGEST_BATCH;
    }
    remaining -= bytes;
    batches.at(-1)?.push(read);
  }
  return batches;
}

/** Returns a signal that is aborted when the signals of all callers are. */
class AllAborted {
  private readonly controller = new AbortController();
  private readonly listener = () => {
    if (this.signals.every(({ aborted }) => aborted)) this.controller.abort(this.signals[0]?.reason);
  };

  constructor(private readonly signals: readonly AbortSignal[]) {
    for (const signal of signals) signal.addEventListener("abort", this.listener);
    this.listener();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  release(): void {
    for (const signal of this.signals) signal.removeEventListener("abort", this.listener);
  }
}
