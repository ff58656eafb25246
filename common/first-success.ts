import { setTimeout as sleep } from "node:timers/promises";

export interface FirstSuccessOptions {
  signal: AbortSignal;
  /** Milliseconds after which the next attempt begins although the one before has not failed. */
  delayMs: number;
}

/**
 * Returns the result of the first attempt that succeeds. The next attempt begins when the one before fails or takes
 * too long; in that case both go on. Attempts that are no longer needed are aborted.
 * @throws AggregateError with the errors of all attempts, in their order
 */
export async function firstSuccess<T>(
  attempts: readonly ((signal: AbortSignal) => Promise<T>)[],
  { signal, delayMs }: FirstSuccessOptions,
): Promise<T> {
  const stop = new AbortController();
  const limited = AbortSignal.any([signal, stop.signal]);
  let mayBegin: Promise<unknown> = Promise.resolve();
  const running = attempts.map((attempt) => {
    const begun = mayBegin;
    const run = begun.then(() => (limited.throwIfAborted(), attempt(limited)));
    const isSlow = begun.then(() => sleep(delayMs, undefined, { signal: limited })).catch(() => undefined);
    mayBegin = Promise.race([isSlow, untilFailed(run)]);
    return run;
  });
  try {
    return await Promise.any(running);
  } finally {
    stop.abort();
  }
}

/** Resolves when the promise rejects, and never otherwise. */
function untilFailed(promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => void promise.catch(() => resolve()));
}
