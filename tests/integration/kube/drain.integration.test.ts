import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { drain } from "../../../provider/kube/drain";
import { planDrain } from "../../../provider/kube/drain-plan";
import type { DrainOptions } from "../../../provider/kube/drain-options";
import { removeNode } from "../../../provider/kube/remove-node";
import { POOL_LABEL } from "../../../common/labels";
import { ApiServer } from "../../support/apiserver";
import { FakeCluster } from "../../support/fake-cluster";
import { PoolGate } from "../../../provider/kube/pool-gate";

const SET = { kind: "ReplicaSet", uid: "web" };
let server: ApiServer;
let cluster: FakeCluster;
let messages: string[];

beforeAll(async () => void (server = await ApiServer.start()));
afterAll(async () => await server.stop());
beforeEach(async () => {
  cluster = new FakeCluster(server.api);
  messages = [];
  await cluster.node("a");
  await cluster.node("b");
  cluster.run();
});
afterEach(async () => await cluster.clear());

function drained(options: Partial<DrainOptions> = {}) {
  return drain(server.api, {
    node: "a",
    timeout: 20,
    signal: new AbortController().signal,
    status: (text) => messages.push(text),
    ...options,
  });
}

describe("a drain", () => {
  test("evicts the pods of a workload one at a time, each after its replacement is Ready", async () => {
    for (const name of ["web-1", "web-2", "web-3"]) await cluster.pod(name, { node: "a", owner: SET });
    cluster.replaces.set("web", "b");
    let least = 3;
    const watch = setInterval(
      () =>
        void server.api.core
          .listNamespacedPod({ namespace: "default" })
          .then(({ items }) => {
            const serving = items.filter(({ metadata }) => !metadata?.deletionTimestamp).length;
            least = Math.min(least, serving);
          })
          .catch(() => undefined),
      20,
    );
    const { evicted, wasCordoned } = await drained();
    clearInterval(watch);
    expect(evicted).toHaveLength(3);
    expect(least).toBeGreaterThanOrEqual(2);
    expect(wasCordoned).toBe(false);
    expect(await cluster.pods("a")).toEqual([]);
    expect(await cluster.pods("b")).toHaveLength(3);
    expect(await cluster.isCordoned("a")).toBe(true);
  });

  test("waits for a replacement that never comes only as long as its patience", async () => {
    for (const name of ["web-1", "web-2"]) await cluster.pod(name, { node: "a", owner: SET });
    await cluster.pod("job-1", { node: "a", owner: { kind: "Job", uid: "job" } });
    const begun = Date.now();
    await drained({ patience: 2 });
    expect(Date.now() - begun).toBeGreaterThan(2_000);
    expect([...cluster.ended].sort()).toEqual(["job-1", "web-1", "web-2"]);
    expect(cluster.ended.slice(0, 2)).toContain("job-1");
  });

  test("leaves DaemonSet pods, mirror pods and finished pods on the node", async () => {
    await cluster.pod("agent", { node: "a", owner: { kind: "DaemonSet", uid: "agent" }, emptyDir: true });
    await cluster.pod("static", { node: "a", mirror: true });
    await cluster.pod("done", { node: "a", phase: "Succeeded", emptyDir: true });
    await cluster.pod("web-1", { node: "a", owner: SET });
    expect((await drained()).evicted).toEqual(["default/web-1"]);
    expect(await cluster.pods("a")).toEqual(["agent", "done", "static"]);
  });

  test("names the blocking budget in its status and at its deadline, and uncordons the node", async () => {
    await cluster.pod("web-1", { node: "a", owner: SET, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    await cluster.budget("other", { app: "other" }, 0);
    await expect(drained({ timeout: 2 })).rejects.toThrow(
      /web-1: eviction refused by PodDisruptionBudget default\/keep-web \(1 healthy, 1 required\).*as schedulable as/,
    );
    expect(messages.join("\n")).toContain("default/web-1: eviction refused by PodDisruptionBudget default/keep-web");
    expect(messages.join("\n")).not.toContain("default/other");
    expect(await cluster.isCordoned("a")).toBe(false);
    expect(await cluster.pods("a")).toEqual(["web-1"]);
  });

  test("continues once the budget allows the eviction", async () => {
    await cluster.pod("web-1", { node: "a", owner: SET, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    const running = drained();
    await sleep(1_500);
    await cluster.allow("keep-web", 1);
    expect((await running).evicted).toEqual(["default/web-1"]);
  });

  test("leaves a node cordoned that was cordoned before", async () => {
    await server.api.core.patchNode({ name: "a", body: { spec: { unschedulable: true } } }, server.api.mergePatch);
    await cluster.pod("web-1", { node: "a", owner: SET, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    await expect(drained({ timeout: 1 })).rejects.toThrow("keep-web");
    expect(await cluster.isCordoned("a")).toBe(true);
  });

  test("leaves the node cordoned with stayCordoned", async () => {
    await cluster.pod("web-1", { node: "a", owner: SET, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    await expect(drained({ timeout: 1, stayCordoned: true })).rejects.toThrow("the node stays cordoned");
    expect(await cluster.isCordoned("a")).toBe(true);
  });

  test("uncordons the node when it is aborted", async () => {
    await cluster.pod("web-1", { node: "a", owner: SET, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    const stop = new AbortController();
    const running = drained({ signal: stop.signal });
    await sleep(1_000);
    expect(await cluster.isCordoned("a")).toBe(true);
    stop.abort(new Error("cancelled"));
    await expect(running).rejects.toThrow("cancelled");
    expect(await cluster.isCordoned("a")).toBe(false);
  });
});

describe("pods that a drain would lose", () => {
  test("with an emptyDir are rejected before anything is changed, and deleted when allowed", async () => {
    await cluster.pod("cache-1", { node: "a", owner: SET, emptyDir: true });
    await expect(drained()).rejects.toThrow(
      /deleting default\/cache-1 would delete the data.*drain\.localData: delete/,
    );
    expect(await cluster.isCordoned("a")).toBe(false);
    expect((await drained({ localData: "delete" })).evicted).toEqual(["default/cache-1"]);
  });

  test("without a controller are rejected, and deleted with force", async () => {
    await cluster.pod("bare", { node: "a" });
    await expect(drained({ localData: "delete" })).rejects.toThrow(
      /no controller would recreate default\/bare.*drain\.unmanaged: delete/,
    );
    expect((await drained({ force: true })).evicted).toEqual(["default/bare"]);
  });
});

describe("a dead node", () => {
  beforeEach(async () => {
    cluster.silent.add("a");
    await cluster.setReady("a", false);
    await cluster.pod("web-1", { node: "a", owner: SET });
    await cluster.pod("agent", { node: "a", owner: { kind: "DaemonSet", uid: "agent" } });
    await cluster.attach("pv-1", "a");
    await cluster.attach("pv-2", "b");
  });

  test("is cleared once it is proved that its machine is off", async () => {
    const { forced } = await drained({ isGone: async () => ({ gone: true, reason: "it was stopped" }) });
    expect(forced).toEqual({ pods: ["default/agent", "default/web-1"], volumes: ["attach-pv-1"] });
    expect(await cluster.pods("a")).toEqual([]);
    const { items } = await server.api.storage.listVolumeAttachment();
    expect(items.map(({ metadata }) => metadata?.name)).toEqual(["attach-pv-2"]);
    const { spec } = await server.api.core.readNode({ name: "a" });
    expect(spec?.taints?.map(({ key }) => key)).toContain("node.kubernetes.io/out-of-service");
  });

  test("keeps its pods while its machine may still run, and the drain says what to do", async () => {
    const isGone = async () => ({ gone: false, reason: "a does not answer SSH" });
    await expect(drained({ timeout: 2, isGone })).rejects.toThrow(
      /the kubelet does not respond; a does not answer SSH.*default\/web-1 did not terminate.*onUnreachable: force/,
    );
    expect(await cluster.pods("a")).toContain("web-1");
    expect(await cluster.isCordoned("a")).toBe(false);
  });
});

describe("a pool", () => {
  const gate = new PoolGate();
  const leave = (node: string, timeout = 10) =>
    removeNode(server.api, {
      gate,
      node,
      instance: "",
      pool: "p",
      maxUnavailable: 1,
      timeout,
      signal: new AbortController().signal,
      status: (text) => messages.push(text),
    });

  beforeEach(async () => {
    for (const name of ["p1", "p2", "p3"]) await cluster.node(name, { labels: { [POOL_LABEL]: "p" } });
  });

  test("removes its nodes one at a time", async () => {
    await cluster.pod("x", { node: "p1", owner: SET });
    await cluster.pod("y", { node: "p2", owner: { kind: "ReplicaSet", uid: "other" } });
    let most = 0;
    const watch = setInterval(
      () =>
        void server.api.core
          .listNode()
          .then(({ items }) => {
            most = Math.max(most, items.filter(({ spec }) => spec?.unschedulable).length);
          })
          .catch(() => undefined),
      20,
    );
    await Promise.all([leave("p1"), leave("p2")]);
    clearInterval(watch);
    expect(most).toBe(1);
    expect((await server.api.core.listNode()).items.map(({ metadata }) => metadata?.name)).toEqual(["a", "b", "p3"]);
  });

  test("counts a node that is down, and removes that node itself without waiting", async () => {
    await cluster.setReady("p3", false);
    await expect(leave("p1", 2)).rejects.toThrow(/p3 is not Ready; pool p allows 1 unavailable at a time/);
    expect(await cluster.isCordoned("p1")).toBe(false);
    await leave("p3");
    await leave("p1");
  });

  test("counts a cordoned node", async () => {
    await server.api.core.patchNode({ name: "p2", body: { spec: { unschedulable: true } } }, server.api.mergePatch);
    await expect(leave("p1", 2)).rejects.toThrow("p2 is cordoned");
  });
});

describe("a plan", () => {
  const plan = (rules = {}) => planDrain(server.api, "a", rules, new AbortController().signal);

  test("of an easy drain has no obstacles", async () => {
    await cluster.pod("web-1", { node: "a", owner: SET });
    expect(await plan()).toMatchObject({ possible: true, pods: 1, obstacles: [], ready: true, cordoned: false });
  });

  test("names blocking budgets, local data and unmanaged pods", async () => {
    await cluster.pod("web-1", { node: "a", owner: SET, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    await cluster.pod("bare", { node: "a", emptyDir: true });
    const found = await plan();
    expect(found).toMatchObject({ possible: false, localData: ["default/bare"], unmanaged: ["default/bare"] });
    expect(found.blocking).toEqual([
      { budget: "PodDisruptionBudget default/keep-web (1 healthy, 1 required)", pods: ["default/web-1"] },
    ]);
    expect(found.obstacles).toHaveLength(3);
    expect((await plan({ force: true })).obstacles).toHaveLength(1);
  });

  test("names pods that fit on no other node", async () => {
    await cluster.pod("small", { node: "a", owner: SET, requests: { cpu: "100m" } });
    await cluster.pod("large", { node: "a", owner: { kind: "ReplicaSet", uid: "large" }, requests: { memory: "5Gi" } });
    const found = await plan();
    expect(found.unschedulable).toEqual(["default/large: no other node has 5120 MiB of memory free"]);
    expect(found.free).toEqual({ cpu: 4, memoryMiB: 4096, pods: 110 });
    await server.api.core.patchNode(
      { name: "b", body: { spec: { taints: [{ key: "gpu", effect: "NoSchedule" }] } } },
      server.api.mergePatch,
    );
    expect((await plan()).unschedulable).toContain(
      "default/small: no other node accepts it (taints, nodeSelector or cordons)",
    );
  });
});
