import { afterEach, expect, test } from "vitest";
import { isMarkedGone, isRebuilt, markGone, mayForget, REBUILT } from "../../../../provider/host/unreachable";

const worker = { name: "worker-2", host: "10.0.0.12" };
const other = { name: "worker-20", host: "10.0.0.120" };

afterEach(() => {
  delete process.env[REBUILT];
  delete process.env.KUBEWRIGHT_FORGET_UNREACHABLE;
});

test("nothing is let go of unless somebody has named the machine", () => {
  expect([mayForget(worker), isRebuilt(worker), isMarkedGone(worker)]).toEqual([false, false, false]);
});

test.each([
  ["KUBEWRIGHT_FORGET_UNREACHABLE", mayForget],
  [REBUILT, isRebuilt],
])("%s names machines by name or address, whole", (variable, asked) => {
  process.env[variable] = "worker-1, worker-2";
  expect([asked(worker), asked(other)]).toEqual([true, false]);
  process.env[variable] = "10.0.0.12";
  expect([asked(worker), asked(other)]).toEqual([true, false]);
  process.env[variable] = "all";
  expect(asked(other)).toBe(true);
});

test("a machine proved gone is known by address and key, not by name", () => {
  markGone({ ...worker, hostKey: "ssh-ed25519 AAAA" });
  expect(isMarkedGone({ ...worker, name: "renamed", hostKey: "ssh-ed25519 AAAA" })).toBe(true);
  expect(isMarkedGone({ ...worker, hostKey: "ssh-ed25519 BBBB" })).toBe(false);
});
