import { afterEach, beforeEach, vi } from "vitest";

/**
 * Sleeps by the global timer, which `vi.useFakeTimers` controls. A test file replaces Node's module with it:
 * `vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"))`.
 */
export function setTimeout<T>(
  ms: number,
  value?: T,
  { signal }: { signal?: AbortSignal } = {},
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = globalThis.setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve(value);
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Stops the time in the tests of this file, except in `elapse` and `settle`. */
export function useFakeTime(): void {
  beforeEach(async () => {
    await import("p-retry"); // A module that is loaded under fake timers would use up fake time.
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());
}

export async function elapse(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Advances the time in steps until the promise is settled. */
export async function settle<T>(promise: Promise<T>, stepMs = 50, limitMs = 3_600_000): Promise<T> {
  let isSettled = false;
  promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  );
  for (let elapsed = 0; !isSettled && elapsed < limitMs; elapsed += stepMs) await elapse(stepMs);
  return await promise;
}
