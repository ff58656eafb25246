import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { orAborted } from "../../common/wait";
import { splitResults, batchScript, type ScriptResult } from "./batch-script";
import { ConnectionError, RootError } from "./errors";

/** Milliseconds in which looks that come one after the other are taken for one: the engine asks for all resources of a machine at once. */
const GATHER_MS = 10;
/** Bytes of scripts in one command; Linux takes 128 KiB, and quoting makes them longer. */
const LONGEST_BATCH = 48 << 10;

interface PendingRead {
  script: string;
  how: ReadContext;
  done: (answer: ScriptResult | Promise<ScriptResult>) => void;
  fail: (reason: Error) => void;
}

export interface ReadContext {
  /** What is looked at, for the error. */
  step: string;
  signal: AbortSignal;
}

/** Runs one script; throws where it could not be run, whatever it answers. */
export type Run = (script: string, how: ReadContext) => Promise<ScriptResult>;

/** Looks at one machine, gathered to few round trips. */
export class ReadBatcher {
  private waiting: PendingRead[] = [];

  constructor(private readonly run: Run) {}

  /** The script is run soon, in one command with those of others. It must only look, and needs no input. */
  async read(script: string, how: ReadContext): Promise<ScriptResult> {
    const answer = new Promise<ScriptResult>((done, fail) => this.waiting.push({ script, how, done, fail }));
    if (this.waiting.length === 1) void sleep(GATHER_MS).then(() => this.send());
    return await orAborted(answer, how.signal);
  }

  private send(): void {
    for (const batch of divided(this.waiting.splice(0))) void this.answer(batch);
  }

  private async answer(batch: readonly PendingRead[]): Promise<void> {
    if (batch.length === 1) return this.alone(batch);
    const mark = randomUUID();
    const all = new AllAborted(batch.map(({ how }) => how.signal));
    try {
      const said = await this.run(
        batchScript(
          batch.map(({ script }) => script),
          mark,
        ),
        { step: `looking at ${batch.length} things`, signal: all.signal },
      );
      const answers = splitResults(said, batch.length, mark);
      // One that never ends, or says too much, cuts off the others: alone each is told its own.
      if (!answers) return this.alone(batch);
      batch.forEach(({ done }, index) => done(answers[index] as ScriptResult));
    } catch (error) {
      if (error instanceof ConnectionError || error instanceof RootError) batch.forEach(({ fail }) => fail(error));
      else this.alone(batch);
    } finally {
      all.release();
    }
  }

  private alone(batch: readonly PendingRead[]): void {
    for (const { script, how, done } of batch) done(this.run(script, how));
  }
}

function divided(looks: readonly PendingRead[]): PendingRead[][] {
  const batches: PendingRead[][] = [];
  let room = 0;
  for (const look of looks) {
    const bytes = Buffer.byteLength(look.script);
    if (bytes > room) {
      batches.push([]);
      room = LONGEST_BATCH;
    }
    room -= bytes;
    batches.at(-1)?.push(look);
  }
  return batches;
}

/** A signal that is aborted once nobody wants the answer any more. */
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
