import { getEventListeners } from "node:events";
import { expect, test, vi } from "vitest";
import { createProviderContext } from "../../../../provider/context/context";
import { EngineLog } from "../../../../provider/rpc/engine";
import { Tasks } from "../../../../provider/rpc/tasks";
import { URN } from "./requests";

test("cancel aborts operations in progress", async () => {
  const tasks = new Tasks(new EngineLog(), createProviderContext());
  const waiting = tasks.run(
    "create",
    URN,
    0,
    ({ signal }) => new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason as Error))),
  );
  tasks.cancel();
  await expect(waiting).rejects.toThrow("cancelled");
});

test("a timeout longer than a timer can wait does not expire immediately", async () => {
  const tasks = new Tasks(new EngineLog(), createProviderContext());
  const work = tasks.run("create", URN, 30 * 86_400, async ({ signal }) => {
    await new Promise((done) => setTimeout(done, 20));
    return signal.aborted;
  });
  expect(await work).toBe(false);
});

test("a timeout aborts the operation and names customTimeouts", async () => {
  const tasks = new Tasks(new EngineLog(), createProviderContext());
  const work = tasks.run(
    "create",
    URN,
    0.01,
    ({ signal }) => new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason as Error))),
  );
  await expect(work).rejects.toThrow("timed out after 0.01 s (customTimeouts)");
});

test("many parallel commands may listen to an operation's signal without a warning", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
  const tasks = new Tasks(new EngineLog(), createProviderContext());
  await tasks.run("create", URN, 0, async ({ signal }) => {
    for (let command = 0; command < 20; command++) signal.addEventListener("abort", () => undefined);
    expect(getEventListeners(signal, "abort")).toHaveLength(20);
  });
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});
