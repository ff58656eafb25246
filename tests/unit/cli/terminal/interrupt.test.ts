import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { onInterrupt, type Interrupt } from "../../../../cli/terminal/interrupt";

let interrupt: Interrupt;
const [onFirst, onSecond] = [vi.fn(), vi.fn()];
beforeEach(() => {
  vi.useFakeTimers();
  onFirst.mockClear();
  onSecond.mockClear();
  interrupt = onInterrupt(onFirst, onSecond);
});
afterEach(() => {
  interrupt.release();
  vi.useRealTimers();
});

test("the first interrupt aborts the signal, the second one stops immediately", () => {
  process.emit("SIGINT");
  expect(interrupt.signal.aborted).toBe(true);
  expect(onFirst).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(1_000);
  process.emit("SIGINT");
  expect(onSecond).toHaveBeenCalledOnce();
});

test("the copy of a signal that npm forwards is ignored", () => {
  process.emit("SIGINT");
  vi.advanceTimersByTime(100);
  process.emit("SIGTERM");
  expect(onSecond).not.toHaveBeenCalled();
});

test("after the release signals are no longer handled", () => {
  interrupt.release();
  const before = process.listenerCount("SIGHUP");
  expect(process.listeners("SIGHUP").length).toBe(before);
  process.emit("SIGHUP");
  expect(onFirst).not.toHaveBeenCalled();
});
