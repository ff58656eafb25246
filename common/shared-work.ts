import { orAborted } from "./wait";

interface Run<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
  settled: boolean;
}

/**
 * Work that several callers wait for, done once. It has a signal of its own, so the deadline of one caller does not
 * fail the others: it is aborted when the last of them gives up. The result is kept until `reset`; a failure is not.
 */
export class SharedWork<T> {
  private run: Run<T> | undefined;

  constructor(private readonly work: (signal: AbortSignal) => Promise<T>) {}

  /** Returns the result, and starts the work if it is not in progress or done. */
  async get(signal: AbortSignal): Promise<T> {
    const run = (this.run ??= this.start());
    run.waiting++;
    try {
      return await orAborted(run.result, signal);
    } finally {
      run.waiting--;
      if (run.waiting === 0 && !run.settled) this.giveUp(run, signal);
    }
  }

  /** Drops the result: the next caller starts the work again. */
  reset(): void {
    this.run = undefined;
  }

  /** Aborts the work if it is in progress, and drops the result. */
  cancel(reason: Error): void {
    if (this.run && !this.run.settled) this.run.abort.abort(reason);
    this.run = undefined;
  }

  private start(): Run<T> {
    const abort = new AbortController();
    const run: Run<T> = { result: this.work(abort.signal), abort, waiting: 0, settled: false };
    run.result.then(
      () => (run.settled = true),
      () => {
        run.settled = true;
        this.drop(run);
      },
    );
    return run;
  }

  private giveUp(run: Run<T>, signal: AbortSignal): void {
    run.abort.abort(signal.reason);
    this.drop(run); // a caller that comes now must not be given work that is being aborted
  }

  private drop(run: Run<T>): void {
    if (this.run === run) this.run = undefined;
  }
}
