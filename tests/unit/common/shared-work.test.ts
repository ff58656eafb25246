import { expect, test } from "vitest";
import { SharedWork } from "../../../common/shared-work";

function counted() {
  const signals: AbortSignal[] = [];
  const settle: { resolve: (value: number) => void; reject: (error: Error) => void }[] = [];
  const work = new SharedWork<number>((signal) => {
    signals.push(signal);
    return new Promise((resolve, reject) => {
      settle.push({ resolve, reject });
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
  });
  return { work, signals, settle };
}

test("callers share one run, and its result is kept until reset", async () => {
  const { work, signals, settle } = counted();
  const { signal } = new AbortController();
  const both = Promise.all([work.get(signal), work.get(signal)]);
  settle[0]?.resolve(7);
  expect(await both).toEqual([7, 7]);
  expect(await work.get(signal)).toBe(7);
  expect(signals).toHaveLength(1);
  work.reset();
  const again = work.get(signal);
  settle[1]?.resolve(8);
  expect(await again).toBe(8);
});

test("the abort of one caller fails that caller only; that of the last one aborts the work", async () => {
  const { work, signals } = counted();
  const [one, other] = [new AbortController(), new AbortController()];
  const [first, second] = [work.get(one.signal), work.get(other.signal)];
  one.abort(new Error("one"));
  await expect(first).rejects.toThrow("one");
  expect(signals[0]?.aborted).toBe(false);
  other.abort(new Error("other"));
  await expect(second).rejects.toThrow("other");
  expect(signals[0]?.aborted).toBe(true);
});

test("a failure is not kept, and a new caller is not given aborted work", async () => {
  const { work, signals, settle } = counted();
  const { signal } = new AbortController();
  const failing = work.get(signal);
  settle[0]?.reject(new Error("no"));
  await expect(failing).rejects.toThrow("no");
  const stop = new AbortController();
  const aborted = work.get(stop.signal);
  stop.abort(new Error("stopped"));
  await expect(aborted).rejects.toThrow("stopped");
  const again = work.get(signal);
  settle[2]?.resolve(9);
  expect(await again).toBe(9);
  expect(signals).toHaveLength(3);
});
