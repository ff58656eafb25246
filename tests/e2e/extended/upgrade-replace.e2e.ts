import { afterAll, beforeAll, expect, test } from "vitest";
import { loadVersions } from "../../../artifacts/index";
import { kubeletVersions, type Kubectl } from "../../support/cluster-client";
import type { LoadClient } from "../../support/load-client";
import { TestStack } from "../../support/test-stack";
import { newestVersion, previousVersion } from "../../support/versions";
import { createUnderLoad } from "../../support/workload";

const LEAST_REQUESTS = 1_000;
const TO = newestVersion(loadVersions());
const FROM = previousVersion(loadVersions());
const WORKERS = ["worker-1", "worker-2"];

const stack = new TestStack("e2e-upgrade-replace");
let kubectl: Kubectl;
let client: LoadClient;

beforeAll(async () => {
  const settings = [`kubernetes.version=${FROM}`, "workers.upgrade=replace", "extras=true"];
  ({ kubectl, client } = await createUnderLoad(stack, settings));
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

test("the plan says that new machines replace those of the pool", async () => {
  const { code, text } = await stack.npmRun("upgrade", "--to", TO, "--plan");
  expect(code, text).toBe(0);
  expect(text).toContain(`pool workers: worker-1 (${FROM}), worker-2 (${FROM}), drained, then a new machine`);
});

test("an upgrade replaces each worker's machine, and no request fails", async () => {
  const before = await machineIds();
  const { code, text } = await stack.npmRun("upgrade", "--to", TO, "--yes");
  expect(code, text).toBe(0);
  expect(await kubeletVersions(kubectl)).toEqual([TO, TO, TO]);
  const after = await machineIds();
  for (const worker of WORKERS) expect(after[worker], worker).not.toBe(before[worker]);
  expect(after["control-plane-1"]).toBe(before["control-plane-1"]);
  expect(text.indexOf("Machine worker-1: deleting")).toBeLessThan(text.indexOf("Machine worker-2: deleting"));
  const load = await client.stop();
  process.stdout.write(`the upgrade: ${load.failed} of ${load.total} requests failed\n`);
  expect(load.total).toBeGreaterThan(LEAST_REQUESTS);
  expect(load.failed).toBe(0);
});

test("then there is nothing to change, also in place", async () => {
  await stack.check();
  expect((await stack.up("--refresh")).text).toContain("Nothing to change");
  const before = await machineIds();
  const { code, text } = await stack.up("--config", "workers.upgrade=inPlace");
  expect(code, text).toBe(0);
  expect(await machineIds()).toEqual(before);
});

/** The machine-id of each machine, which a new machine does not have. */
async function machineIds(): Promise<Record<string, string>> {
  const names = ["control-plane-1", ...WORKERS];
  const ids = await Promise.all(names.map(async (name) => (await stack.on(name, "cat /etc/machine-id")).trim()));
  return Object.fromEntries(names.map((name, index) => [name, ids[index] ?? ""]));
}
