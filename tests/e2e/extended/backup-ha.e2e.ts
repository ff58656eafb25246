import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../../common/process";
import { BackedUpCluster } from "../../support/backed-up-cluster";
import { nodeNames, waitForNodes, waitForPods } from "../../support/cluster-client";
import { loadSince } from "../../support/load-client";

const CONTROL_PLANES = ["control-plane-1", "control-plane-2", "control-plane-3"];
const NODES = [...CONTROL_PLANES, "worker-1"];

const cluster = new BackedUpCluster("e2e-backup-ha");
const { stack } = cluster;

beforeAll(async () => await cluster.create("--config", "controlPlane.count=3"));
afterAll(async () => await cluster.remove());

test("a backup is restored on three members under load, and a client that watched before learns of it", async () => {
  await cluster.kubectl("create", "configmap", "stays");
  await cluster.kubectl("create", "configmap", "deleted-later");
  expect((await stack.npmRun("backup")).code).toBe(0);
  await cluster.startInformer();
  await cluster.kubectl("delete", "configmap", "deleted-later");
  await cluster.kubectl("create", "configmap", "created-later");
  await cluster.waitForInformer("created-later", "stays");
  const [started, before] = [Date.now(), cluster.client.mark()];
  const { code, text } = await stack.npmRun("restore", "--yes");
  cluster.report("restore of three members", started);
  expect(code, text).toBe(0);
  expect(await cluster.configMaps()).toEqual(["deleted-later", "stays"]);
  await cluster.waitForInformer("deleted-later", "stays");
  await cluster.informer?.stop();
  await waitForNodes(cluster.kubectl, ...NODES);
  await waitForPods(cluster.kubectl);
  expect(loadSince(before, cluster.client).failed, cluster.client.load.failures.join("\n")).toBe(0);
});

test("three lost machines: new ones get the cluster from the backup, and the worker serves all the time", async () => {
  const pods = await cluster.servingPods();
  const [lost, before] = [Date.now(), cluster.client.mark()];
  for (const name of CONTROL_PLANES) await run("docker", ["rm", "-f", "-v", ...(await stack.containers(name))]);
  const { code, text } = await stack.up("--yes", "--restore-from", "latest");
  cluster.report("the cluster is restored on three new control planes, after the loss", lost);
  expect(code, text).toBe(0);
  await cluster.connect();
  expect(await cluster.configMaps()).toEqual(["deleted-later", "stays"]);
  expect(await nodeNames(cluster.kubectl)).toEqual(NODES);
  await waitForNodes(cluster.kubectl, ...NODES);
  await waitForPods(cluster.kubectl);
  cluster.report("all pods are ready, after the loss", lost);
  expect(await cluster.servingPods()).toBe(pods);
  expect(loadSince(before, cluster.client).failed, cluster.client.load.failures.join("\n")).toBe(0);
});

test("the next run changes nothing", async () => {
  const { code, text } = await stack.up("--refresh");
  expect(code, text).toBe(0);
  expect(text).toContain("Nothing to change");
});
