import { expect, test } from "vitest";
import { Semaphore, runForAll, until } from "../../../common/wait";

test("polls until there is an answer", async () => {
  let looks = 0;
  const look = () => Promise.resolve(++looks === 3 ? "here" : undefined);
  const options = { signal: new AbortController().signal, timeout: 5, every: 1, onTimeout: () => new Error("late") };
  expect(await until(look, options)).toBe("here");
  expect(looks).toBe(3);
});

test("reports what was missing at the deadline", async () => {
  const options = {
    signal: new AbortController().signal,
    timeout: 0.01,
    every: 2,
    onTimeout: () => new Error("no node"),
  };
  await expect(until(() => Promise.resolve(undefined), options)).rejects.toThrow("no node");
});

test("patience extends the deadline, and the error reports the extended one", async () => {
  const options = {
    signal: new AbortController().signal,
    timeout: 0.01,
    patience: 3,
    every: 2,
    onTimeout: (seconds: number) => new Error(`no node after ${seconds} s`),
  };
  await expect(until(() => Promise.resolve(undefined), options)).rejects.toThrow("no node after 0.03 s");
});

test("stops immediately on abort", async () => {
  const abort = new AbortController();
  const options = { signal: abort.signal, timeout: 60, every: 60_000, onTimeout: () => new Error("late") };
  const waiting = until(() => Promise.resolve(undefined), options);
  abort.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
});

test("a semaphore limits concurrency, and continues after a failure", async () => {
  const semaphore = new Semaphore(2);
  let inside = 0;
  let most = 0;
  const work = async (index: number) => {
    most = Math.max(most, ++inside);
    await new Promise((turn) => setImmediate(turn));
    inside--;
    if (index === 0) throw new Error("first fails");
  };
  const results = await Promise.allSettled([0, 1, 2, 3, 4].map((index) => semaphore.use(() => work(index))));
  expect(most).toBe(2);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled", "fulfilled", "fulfilled"]);
});

test("the deadline of one caller does not end shared work; the work ends when all callers have given up", async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  let shared: AbortSignal | undefined;
  const done = runForAll([one.signal, other.signal], (signal) => {
    shared = signal;
    return new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  });
  one.abort(new Error("one"));
  expect(shared?.aborted).toBe(false);
  other.abort(new Error("other"));
  await expect(done).rejects.toThrow("other");
});

test("shared work of callers that have already given up is aborted", async () => {
  const given = AbortSignal.abort(new Error("too late"));
  await expect(runForAll([given], (signal) => Promise.resolve(signal.throwIfAborted()))).rejects.toThrow("too late");
});
