import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** Waits before the nth retry: doubling from 0.1 s to 5 s, with jitter so that many clients do not march in step. */
export async function backoff(attempt: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS);
  await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => signal.throwIfAborted());
}

export interface WaitOptions {
  signal: AbortSignal;
  /** Seconds, before `patience` is applied. */
  timeout: number;
  /** Factor for `timeout`: `timeouts.patience` of the configuration. @default 1 */
  patience?: number | undefined;
  /** Milliseconds between two looks; default 250. */
  every?: number;
  /** What is said when time is up, after so many seconds: called then, so that it can hold the last thing seen. */
  onTimeout: (seconds: number) => Error;
}

/** Looks until there is an answer. */
export async function until<T>(look: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const seconds = options.timeout * (options.patience ?? 1);
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    options.signal.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw options.onTimeout(seconds);
    await sleep(options.every ?? 250, undefined, { signal: options.signal }).catch(() =>
      options.signal.throwIfAborted(),
    );
  }
}

/** The promise, or the reason of the signal if that comes first: for what does not know signals itself. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, fail) => {
    abort = () => fail(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** At most `places` at once. */
export class Semaphore {
  private readonly waiting: (() => void)[] = [];
  constructor(private places: number) {}

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.places > 0) this.places--;
    else await new Promise<void>((turn) => this.waiting.push(turn));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.places++;
    }
  }
}
