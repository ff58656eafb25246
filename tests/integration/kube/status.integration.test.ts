import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { POOL_LABEL } from "../../../common/labels";
import { clusterStatus } from "../../../cli/nodes/cluster-status";
import { statusText } from "../../../cli/nodes/status-text";
import { ApiServer } from "../../support/apiserver";
import { FakeCluster } from "../../support/fake-cluster";

let server: ApiServer;
let cluster: FakeCluster;

beforeAll(async () => void (server = await ApiServer.start()));
afterAll(async () => await server.stop());
beforeEach(() => void (cluster = new FakeCluster(server.api)));
afterEach(async () => await cluster.clear());

const status = () => clusterStatus(server.api, { signal: new AbortController().signal });

test("healthy nodes are healthy", async () => {
  await cluster.node("a", { labels: { [POOL_LABEL]: "workers" } });
  expect(await status()).toMatchObject({ healthy: true, problems: [] });
});

test.each([
  ["workers", "workers.kubelet.evictionHard"],
  ["control-plane", "controlPlane.kubelet.evictionHard"],
  ["big", "pools.big.kubelet.evictionHard"],
])("reports DiskPressure on %s with the evicted pods, where to look and what to change", async (pool, setting) => {
  await cluster.node("a", { labels: { [POOL_LABEL]: pool } });
  await cluster.pressure("a", "DiskPressure");
  await cluster.pod("lost", { node: "a", phase: "Failed" });
  await server.api.core.patchNamespacedPodStatus(
    { name: "lost", namespace: "default", body: { status: { reason: "Evicted" } } },
    server.api.mergePatch,
  );
  const found = await status();
  expect(found.healthy).toBe(false);
  const [problem = ""] = found.problems;
  for (const phrase of [
    "a: DiskPressure: its disk is nearly full",
    "1 pod was evicted",
    "df -h /var/lib",
    "enlarge the disk",
    setting,
  ])
    expect(problem).toContain(phrase);
  expect(statusText(found)).toMatch(/^\S+ +a .*Ready, DiskPressure/m);
});

test("reports what to do about other pressures", async () => {
  await cluster.node("a");
  await cluster.pressure("a", "MemoryPressure");
  expect((await status()).problems.join()).toContain("memory is nearly used up");
});
