import { vi } from "vitest";

/**
 * Sleeps that end immediately and move the clock. A test file replaces Node's module with it, and the dates:
 * `vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"))`,
 * `vi.useFakeTimers({ toFake: ["Date"] })`.
 */
export async function setTimeout<T>(
  ms: number,
  value?: T,
  { signal }: { signal?: AbortSignal } = {},
): Promise<T | undefined> {
  signal?.throwIfAborted();
  vi.setSystemTime(Date.now() + ms);
  await new Promise(setImmediate); // An endless loop must not keep the test's own timeout from firing.
  return value;
}
