import { expect, test, vi } from "vitest";
import { firstSuccess } from "../../../common/first-success";

const signal = new AbortController().signal;
const options = { signal, delayMs: 60_000 };
const silent =
  (aborted: (reason: unknown) => void = () => undefined) =>
  (limited: AbortSignal) =>
    new Promise<string>((_, reject) =>
      limited.addEventListener("abort", () => {
        aborted(limited.reason);
        reject(limited.reason as Error);
      }),
    );

test("the first attempt that succeeds is the only one", async () => {
  const next = vi.fn(async () => "next");
  expect(await firstSuccess([async () => "first", next], options)).toBe("first");
  await new Promise(setImmediate);
  expect(next).not.toHaveBeenCalled();
});

test("a failed attempt is followed by the next one immediately", async () => {
  const failing = () => Promise.reject(new Error("refused"));
  expect(await firstSuccess([failing, async () => "next"], options)).toBe("next");
});

test("an attempt that is slow does not delay the next one, and is aborted when that succeeds", async () => {
  const aborted = vi.fn();
  expect(await firstSuccess([silent(aborted), async () => "next"], { signal, delayMs: 1 })).toBe("next");
  expect(aborted).toHaveBeenCalledOnce();
});

test("a slow attempt may still be the first to succeed", async () => {
  let finish: (result: string) => void = () => undefined;
  const slow = () => new Promise<string>((resolve) => (finish = resolve));
  const failing = async () => {
    finish("slow");
    return await Promise.reject(new Error("refused"));
  };
  expect(await firstSuccess([slow, failing], { signal, delayMs: 1 })).toBe("slow");
});

test("the errors of all attempts are reported in their order", async () => {
  const failures = ["one", "two"].map((text) => () => Promise.reject(new Error(text)));
  const error: unknown = await firstSuccess(failures, options).catch((reason: unknown) => reason);
  expect((error as AggregateError).errors.map(String)).toEqual(["Error: one", "Error: two"]);
});

test("an abort ends all attempts", async () => {
  const caller = new AbortController();
  const next = vi.fn(async () => "next");
  const result = firstSuccess([silent(), next], { signal: caller.signal, delayMs: 60_000 });
  caller.abort(new Error("Ctrl-C"));
  await expect(result).rejects.toThrow(AggregateError);
  expect(next).not.toHaveBeenCalled();
});
