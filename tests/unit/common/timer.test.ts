import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test, vi } from "vitest";
import { startDeadline, timeoutSignal } from "../../../common/timer";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("a deadline that is longer than a timer can wait does not fire", () => {
  vi.useFakeTimers();
  const fired: number[] = [];
  for (const seconds of [1, 20 * 86_400, 30 * 86_400]) startDeadline(seconds, () => fired.push(seconds));
  vi.advanceTimersByTime(40 * 86_400_000);
  vi.useRealTimers();
  expect(fired).toEqual([1, 20 * 86_400]);
});

describe("a signal with a deadline", () => {
  /** Resolves with the reason of the abort, without referring to anything but the signal. */
  const reasonOf = (signal: AbortSignal) =>
    new Promise<unknown>((resolve) => signal.addEventListener("abort", () => resolve(signal.reason)));

  test("is aborted in time, also after garbage was collected", async () => {
    const reason = reasonOf(timeoutSignal(100, new AbortController().signal));
    const isLate = new Promise((resolve) => setTimeout(resolve, 2_000, "late"));
    const collecting = setInterval(collectGarbage, 10);
    expect(await Promise.race([reason, isLate])).toMatchObject({ name: "TimeoutError" });
    clearInterval(collecting);
  });

  test("is shared by many requests without a warning of Node", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning);
    process.on("warning", onWarning);
    const signal = timeoutSignal(60_000);
    for (let i = 0; i < 20; i++) signal.addEventListener("abort", () => undefined);
    await new Promise(setImmediate); // Node emits warnings after the current work
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  test("is aborted together with the other signal, with its reason", async () => {
    const other = new AbortController();
    const reason = reasonOf(timeoutSignal(60_000, other.signal));
    other.abort("Ctrl-C");
    expect(await reason).toBe("Ctrl-C");
    expect(timeoutSignal(60_000, other.signal)).toMatchObject({ aborted: true, reason: "Ctrl-C" });
  });
});
