import { expect, test } from "vitest";
import { clusterStatus } from "../../../../cli/nodes/cluster-status";
import { readRenewalProblems } from "../../../../cli/nodes/renewal-status";
import { RENEWAL_RESULT } from "../../../../render/renew-certificates";
import { MemoryMachine } from "../../../support/memory-machine";
import { fakeApi } from "../fake-stack";

const { signal } = new AbortController();
const NOW = Date.parse("2026-11-27T06:00:00Z");

function machineWith(result: string | undefined): never {
  const machine = new MemoryMachine();
  if (result !== undefined) machine.files.set(RENEWAL_RESULT, { content: result, mode: "0600" });
  return machine as never;
}
const read = (result?: string) => readRenewalProblems([machineWith(result)], { signal, now: NOW });

test("a failed run is a problem, with its reason and where its log is", async () => {
  expect(await read("failed 2026-11-27T05:00:00Z\nkube-apiserver is not healthy:\nwrong key\n")).toEqual([
    "worker-1 (10.0.0.1): kubewright-renew-certificates.service failed at 2026-11-27T05:00:00Z: " +
      "kube-apiserver is not healthy: wrong key; " +
      "see `journalctl -u kubewright-renew-certificates.service` on the machine",
  ]);
});

test("a run that has not ended for hours is a problem", async () => {
  expect((await read("running 2026-11-27T02:00:00Z\n\n")).join()).toContain("the run has not ended");
  expect(await read("running 2026-11-27T05:30:00Z\n\n")).toEqual([]);
});

test.each([
  undefined,
  "",
  "ok 2026-11-26T00:00:00Z\nno certificate ends soon\n",
  "postponed 2026-11-27T05:00:00Z\nx\n",
])("the result %j is no problem", async (result) => {
  expect(await read(result)).toEqual([]);
});

test("a failed run makes the cluster unhealthy", async () => {
  const controlPlanes = [machineWith(`failed ${new Date().toISOString()}\nwrong key\n`)];
  const status = await clusterStatus(fakeApi({ name: "worker-1" }), { signal, controlPlanes });
  expect(status).toMatchObject({ healthy: false });
  expect(status.problems.join()).toContain("wrong key");
});
