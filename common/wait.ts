import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/**
 * Waits before the nth retry: from 0.1 s, doubling up to 5 s, with jitter so that many clients do not retry
 * simultaneously.
 */
export async function backoff(attempt: number, signal: AbortSignal): Promise<void> {
  const maximum = Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS);
  await sleep(maximum * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => signal.throwIfAborted());
}

export interface WaitOptions {
  signal: AbortSignal;
  /** Seconds, before `patience` is applied. */
  timeout: number;
  /** Factor for `timeout`: `timeouts.patience` of the configuration. @default 1 */
  patience?: number | undefined;
  /** Milliseconds between two checks. @default 250 */
  every?: number;
  /** Creates the error after `seconds`. Called at the deadline, so that the error can contain the last state. */
  onTimeout: (seconds: number) => Error;
}

/** Calls `check` until it returns a value. @throws the error of `onTimeout` at the deadline */
export async function until<T>(check: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const seconds = options.timeout * (options.patience ?? 1);
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    options.signal.throwIfAborted();
    const result = await check();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw options.onTimeout(seconds);
    await sleep(options.every ?? 250, undefined, { signal: options.signal }).catch(() =>
      options.signal.throwIfAborted(),
    );
  }
}

/**
 * Settles like the promise, or rejects with the signal's reason on abort. For operations that do not accept a signal.
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/**
 * Runs work that several callers share. Its signal is aborted when those of all callers are, so that the deadline of
 * one caller does not end the work for the others.
 */
export async function runForAll<T>(
  callers: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const all = new AbortController();
  const check = () => {
    if (callers.every(({ aborted }) => aborted)) all.abort(callers.at(-1)?.reason);
  };
  callers.forEach((caller) => caller.addEventListener("abort", check, { once: true }));
  if (callers.length > 0) check();
  try {
    return await work(all.signal);
  } finally {
    callers.forEach((caller) => caller.removeEventListener("abort", check));
  }
}

/** Limits how many operations run in parallel. */
export class Semaphore {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** Runs the work when a slot is free. An abort ends the wait for the slot. */
  async use<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.free > 0) this.free--;
    else await this.waitForSlot(signal);
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }

  private waitForSlot(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.waiting.splice(this.waiting.indexOf(onFree), 1);
        reject(signal?.reason as Error);
      };
      const onFree = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.waiting.push(onFree);
    });
  }
}
