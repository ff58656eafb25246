import { expect, test } from "vitest";
import { healthyControlPlane } from "../../../../cli/backup/context";
import type { Remote } from "../../../../provider/ssh/remote";
import { ScriptedMachine } from "../../../support/scripted-machine";

const { signal } = new AbortController();
const MEMBERS = [1, 2, 3].map(
  (n) => `8e9e${n}, started, cp-${n}, https://10.0.0.${n}:2380, https://10.0.0.${n}:2379, false`,
);

/** A control plane whose etcd answers with this many healthy members of three; with none, it has no quorum. */
function controlPlane(healthy: number): Remote {
  const endpoints = [1, 2, 3].slice(0, healthy).map((n) => `https://10.0.0.${n}:2379 is healthy`);
  const stdout = [...MEMBERS, "--- health ---", ...endpoints, "--- report ---", "--- report ---", ""].join("\n");
  return new ScriptedMachine(() => ({ stdout: healthy === 0 ? "" : stdout })).remote;
}
const down = () => new ScriptedMachine(() => new Error("no answer")).remote;

test("the first control plane whose etcd has a majority is chosen, whichever others are down", async () => {
  const [first, second] = [controlPlane(3), controlPlane(2)];
  expect(await healthyControlPlane([first, second], signal)).toBe(first);
  expect(await healthyControlPlane([down(), second], signal)).toBe(second);
  expect(await healthyControlPlane([controlPlane(0), down(), second], signal)).toBe(second);
});

test("without a majority there is no backup, and the next command is named", async () => {
  await expect(healthyControlPlane([down(), controlPlane(1), controlPlane(0)], signal)).rejects.toThrow(
    /no control plane has an etcd that answers and has a majority; run `npm run status`/,
  );
});
