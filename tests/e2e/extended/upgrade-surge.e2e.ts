import { afterAll, beforeAll, expect, test } from "vitest";
import { loadVersions } from "../../../artifacts/index";
import { kubeletVersions, nodeNames, type Kubectl } from "../../support/cluster-client";
import type { LoadClient } from "../../support/load-client";
import { countAvailable } from "../../support/pool-capacity";
import { TestStack } from "../../support/test-stack";
import { newestVersion, previousVersion } from "../../support/versions";
import { createUnderLoad } from "../../support/workload";

const LEAST_REQUESTS = 1_000;
const LEAST_COUNTS = 20;
const TO = newestVersion(loadVersions());
const FROM = previousVersion(loadVersions());

const stack = new TestStack("e2e-upgrade-surge");
let kubectl: Kubectl;
let client: LoadClient;

beforeAll(async () => {
  const settings = [`kubernetes.version=${FROM}`, "workers.count=1", "workers.surge=1", "extras=true"];
  ({ kubectl, client } = await createUnderLoad(stack, settings));
});

afterAll(async () => {
  await stack.down("--force");
  stack.removeFiles();
});

test("the plan has the additional machine", async () => {
  const { code, text } = await stack.npmRun("upgrade", "--to", TO, "--plan");
  expect(code, text).toBe(0);
  expect(text).toContain(
    `pool workers: additional worker-2, created and joined; then worker-1 (${FROM}), drained, then the kubelet; ` +
      "then worker-2, drained and removed",
  );
});

test("an upgrade that pauses after the control planes creates no machine", async () => {
  const { code, text } = await stack.npmRun("upgrade", "--to", TO, "--pause-after", "control-planes");
  expect(code, text).toBe(0);
  expect(await kubeletVersions(kubectl)).toEqual([TO, FROM]);
});

test("the pool always has a worker that takes pods, and no request fails", async () => {
  const end = new AbortController();
  const counts = countAvailable(kubectl, "workers", end.signal);
  const { code, text } = await stack.npmRun("upgrade", "--resume", "--yes");
  end.abort();
  expect(code, text).toBe(0);
  const titles = [`without pool workers`, "Joining worker-2", `Changing to ${TO}\n`, "Removing worker-2"];
  const places = titles.map((title) => text.indexOf(title));
  expect(places, text).toEqual([...places].sort((one, other) => one - other));
  expect(Math.min(...places)).toBeGreaterThanOrEqual(0);

  const available = await counts;
  expect(available.length).toBeGreaterThan(LEAST_COUNTS);
  expect(Math.min(...available), available.join(" ")).toBe(1);
  expect(Math.max(...available), available.join(" ")).toBe(2);
  const load = await client.stop();
  process.stdout.write(`the upgrade: ${load.failed} of ${load.total} requests failed\n`);
  expect(load.total).toBeGreaterThan(LEAST_REQUESTS);
  expect(load.failures.join("\n")).toBe("");
  expect(load.failed).toBe(0);
});

test("then the additional machine has left, and there is nothing to change", async () => {
  expect(await nodeNames(kubectl)).toEqual(["control-plane-1", "worker-1"]);
  expect(await kubeletVersions(kubectl)).toEqual([TO, TO]);
  expect(await stack.containers("worker-2")).toEqual([]);
  expect((await stack.npmRun("status")).text).not.toMatch(/^upgrade/m);
  await stack.check();
  expect((await stack.up()).text).toContain("Nothing to change");
});
