import { expect, test } from "vitest";
import { StepError } from "../../../../common/errors";
import { readCluster } from "../../../../provider/resources/read-cluster";

function refresh(read: () => Promise<string | undefined>, signal = new AbortController().signal) {
  const warnings: string[] = [];
  return { warnings, state: readCluster({ warn: (text) => warnings.push(text), signal }, "recorded", read) };
}

test.each(["live", undefined])("a cluster that answers has the state %s", async (live) => {
  const { state, warnings } = refresh(async () => live);
  expect(await state).toBe(live);
  expect(warnings).toEqual([]);
});

test.each([
  ["does not answer", Object.assign(new Error("connect ETIMEDOUT"), { code: "ETIMEDOUT" })],
  ["refuses the request", Object.assign(new Error("forbidden"), { code: 403 })],
  ["is not reached by a step", new StepError({ step: "connecting", cause: "no route" })],
])("a cluster that %s keeps the recorded state, with a warning", async (_reason, error) => {
  const { state, warnings } = refresh(() => Promise.reject(error));
  expect(await state).toBe("recorded");
  expect(warnings).toEqual([`not read, its last known state is kept: ${error.message}`]);
});

test("an error of the program fails", async () => {
  const { state, warnings } = refresh(() => Promise.reject(new TypeError("a bug")));
  await expect(state).rejects.toThrow("a bug");
  expect(warnings).toEqual([]);
});

test("Ctrl-C ends the refresh", async () => {
  const stopped = new AbortController();
  const read = () => {
    stopped.abort(new Error("stopped"));
    return Promise.reject(new Error("socket closed"));
  };
  const { state, warnings } = refresh(read, stopped.signal);
  await expect(state).rejects.toThrow("stopped");
  expect(warnings).toEqual([]);
});
