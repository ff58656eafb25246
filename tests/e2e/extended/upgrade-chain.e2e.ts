import { afterAll, beforeAll, expect, test } from "vitest";
import { loadVersions } from "../../../artifacts/index";
import { measureSince, startApiProber } from "../../support/api-prober";
import { kubeletVersions, nodeNames, type Kubectl } from "../../support/cluster-client";
import type { Load, LoadClient } from "../../support/load-client";
import { countAvailable } from "../../support/pool-capacity";
import { TestStack } from "../../support/test-stack";
import { newestVersion, versionBefore } from "../../support/versions";
import { createUnderLoad } from "../../support/workload";

const LEAST_REQUESTS = 2_000;
const LEAST_COUNTS = 40;
const LONGEST_SECONDS = 3_600;
/** Of some ten thousand. The aim is none; a busy test host loses some. */
const MOST_API_FAILURES = 3;
const LONGEST_GAP_MS = 3_000;
const NOTHING: Load = { total: 0, failed: 0, failures: [] };
const TO = newestVersion(loadVersions());
const BETWEEN = versionBefore(loadVersions(), 1);
const FROM = versionBefore(loadVersions(), 2);
const CONTROL_PLANES = ["control-plane-1", "control-plane-2", "control-plane-3"];
const NODES = [...CONTROL_PLANES, "worker-1", "worker-2"];
const SNAPSHOTS = "/var/lib/kubewright/etcd-snapshots";

const stack = new TestStack("e2e-upgrade-chain");
let kubectl: Kubectl;
let client: LoadClient;
let prober: Record<"reads" | "writes", LoadClient>;

beforeAll(async () => {
  const settings = [`kubernetes.version=${FROM}`, "controlPlane.count=3", "workers.surge=1", "extras=true"];
  ({ kubectl, client } = await createUnderLoad(stack, settings));
  prober = { ...(await startApiProber(stack, kubectl, { node: "worker-1", seconds: LONGEST_SECONDS })) };
});

afterAll(async () => {
  for (const each of Object.values(prober ?? {})) await each.stop();
  await stack.down("--force");
  stack.removeFiles();
});

test("the plan goes through each minor version, and a pause needs one step", async () => {
  const { code, text } = await stack.npmRun("upgrade", "--to", TO, "--plan");
  expect(code, text).toBe(0);
  expect(text).toContain(`Upgrade: ${FROM} -> ${BETWEEN} -> ${TO}`);
  expect(text).toContain("additional worker-3, created and joined with the first version;");
  const paused = await stack.npmRun("upgrade", "--to", TO, "--pause-after", "control-planes", "--yes");
  expect(paused.code, paused.text).not.toBe(0);
  expect(paused.text).toContain("the upgrade has 2 steps, and a pause needs one");
  expect(await kubeletVersions(kubectl)).toEqual(NODES.map(() => FROM));
});

test("one command upgrades by two minor versions, and no request fails", async () => {
  const end = new AbortController();
  const counts = countAvailable(kubectl, "workers", end.signal);
  const { code, text } = await stack.npmRun("upgrade", "--to", TO, "--yes");
  end.abort();
  expect(code, text).toBe(0);
  const titles = [
    `Changing to ${BETWEEN}, without pool workers`,
    "Joining worker-3",
    `Changing to ${BETWEEN}\n`,
    `Changing to ${TO}\n`,
    "Removing worker-3",
  ];
  const places = titles.map((title) => text.indexOf(title));
  expect(places, text).toEqual([...places].sort((one, other) => one - other));
  expect(Math.min(...places), text).toBeGreaterThanOrEqual(0);

  const available = await counts;
  expect(available.length).toBeGreaterThan(LEAST_COUNTS);
  expect(Math.min(...available), available.join(" ")).toBe(2);
  expect(Math.max(...available), available.join(" ")).toBe(3);
  const load = await client.stop();
  process.stdout.write(`the upgrade: ${load.failed} of ${load.total} requests failed\n`);
  expect(load.total).toBeGreaterThan(LEAST_REQUESTS);
  expect(load.failures.join("\n")).toBe("");
  expect(load.failed).toBe(0);
});

test("clients of the API are not interrupted, through the balancer of a worker", () => {
  for (const [kind, each] of Object.entries(prober)) {
    const { failed, longestGap, text } = measureSince(NOTHING, each);
    process.stdout.write(`the API, ${kind}: ${text}\n`);
    expect(failed, `${kind}: ${text}`).toBeLessThanOrEqual(MOST_API_FAILURES);
    expect(longestGap, `${kind}: ${text}`).toBeLessThan(LONGEST_GAP_MS);
  }
});

test("every step saved a snapshot of etcd, and the add-ons have the last version", async () => {
  const snapshots = await stack.on("control-plane-1", `ls ${SNAPSHOTS}`);
  for (const version of [BETWEEN, TO]) expect(snapshots).toContain(`before-${version}.db`);
  const image = await kubectl("-n", "kube-system", "get", "ds/kube-proxy", "-o", "jsonpath={..image}");
  expect(image).toMatch(new RegExp(`:v${TO}$`));
});

test("then the additional machine has left, and there is nothing to change", async () => {
  expect(await nodeNames(kubectl)).toEqual(NODES);
  expect(await kubeletVersions(kubectl)).toEqual(NODES.map(() => TO));
  expect(await stack.containers("worker-3")).toEqual([]);
  expect((await stack.npmRun("status")).text).not.toMatch(/^upgrade/m);
  await stack.check();
  expect((await stack.up()).text).toContain("Nothing to change");
});
