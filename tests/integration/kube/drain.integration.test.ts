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
let said: string[];

beforeAll(async () => void (server = await ApiServer.start()));
afterAll(async () => await server.stop());
beforeEach(async () => {
  cluster = new FakeCluster(server.api);
  said = [];
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
    status: (text) => said.push(text),
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

  test("delays neither other workloads nor its own forever if a replacement does not become Ready", async () => {
    for (const name of ["web-1", "web-2"]) await cluster.pod(name, { node: "a", owner: SET });
    await cluster.pod("job-1", { node: "a", owner: { kind: "Job", uid: "job" } });
    const begun = Date.now();
    await drained({ patience: 2 });
    expect(Date.now() - begun).toBeGreaterThan(2_000);
    expect([...cluster.ended].sort()).toEqual(["job-1", "web-1", "web-2"]);
    expect(cluster.ended.slice(0, 2)).toContain("job-1");
  });

  test("leaves pods of DaemonSets, mirror pods and finished pods", async () => {
    await cluster.pod("agent", { node: "a", owner: { kind: "DaemonSet", uid: "agent" }, emptyDir: true });
    await cluster.pod("static", { node: "a", mirror: true });
    await cluster.pod("done", { node: "a", phase: "Succeeded", emptyDir: true });
    await cluster.pod("web-1", { node: "a", owner: SET });
    expect((await drained()).evicted).toEqual(["default/web-1"]);
    expect(await cluster.pods("a")).toEqual(["agent", "done", "static"]);
  });

  test("names the blocking budget while it waits and at the deadline, and uncordons the node", async () => {
    await cluster.pod("web-1", { node: "a", owner: SET, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    await cluster.budget("other", { app: "other" }, 0);
    await expect(drained({ timeout: 2 })).rejects.toThrow(
      /default\/web-1: eviction refused by PodDisruptionBudget default\/keep-web \(1 healthy, 1 required\).*as schedulable as before/,
    );
    expect(said.join("\n")).toContain("default/web-1: eviction refused by PodDisruptionBudget default/keep-web");
    expect(said.join("\n")).not.toContain("default/other");
    expect(await cluster.isCordoned("a")).toBe(false);
    expect(await cluster.pods("a")).toEqual(["web-1"]);
  });

  test("continues once the budget allows it", async () => {
    await cluster.pod("web-1", { node: "a", owner: SET, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    const running = drained();
    await sleep(1_500);
    await cluster.allow("keep-web", 1);
    expect((await running).evicted).toEqual(["default/web-1"]);
  });

  test("uncordons only what it cordoned", async () => {
    await server.api.core.patchNode({ name: "a", body: { spec: { unschedulable: true } } }, server.api.mergePatch);
    await cluster.pod("web-1", { node: "a", owner: SET, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    await expect(drained({ timeout: 1 })).rejects.toThrow("keep-web");
    expect(await cluster.isCordoned("a")).toBe(true);
  });

  test("leaves the node cordoned if requested", async () => {
    await cluster.pod("web-1", { node: "a", owner: SET, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    await expect(drained({ timeout: 1, stayCordoned: true })).rejects.toThrow("the node stays cordoned");
    expect(await cluster.isCordoned("a")).toBe(true);
  });

  test("uncordons the node on abort", async () => {
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

describe("data and pods that a drain would lose", () => {
  test("refuses an emptyDir before anything is changed, and evicts its pod with localData: delete", async () => {
    await cluster.pod("cache-1", { node: "a", owner: SET, emptyDir: true });
    await expect(drained()).rejects.toThrow(
      /deleting default\/cache-1 would delete the data.*drain\.localData: delete/,
    );
    expect(await cluster.isCordoned("a")).toBe(false);
    expect((await drained({ localData: "delete" })).evicted).toEqual(["default/cache-1"]);
  });

  test("refuses a pod without a controller, and evicts it with unmanaged: delete or force", async () => {
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
    await server.api.storage
      .createVolumeAttachment({
        body: {
          metadata: { name: "of-a" },
          spec: { attacher: "x", nodeName: "a", source: { persistentVolumeName: "v" } },
        },
      })
      .catch(() => undefined);
    await server.api.storage
      .createVolumeAttachment({
        body: {
          metadata: { name: "of-b" },
          spec: { attacher: "x", nodeName: "b", source: { persistentVolumeName: "w" } },
        },
      })
      .catch(() => undefined);
  });

  test("is cleared once its machine is proved to be gone, volumes included", async () => {
    let asked = 0;
    const { forced } = await drained({ isGone: async () => ({ gone: ++asked > 0, reason: "nobody answers" }) });
    expect(forced).toEqual({ pods: ["default/agent", "default/web-1"], volumes: ["of-a"] });
    expect(await cluster.pods("a")).toEqual([]);
    const left = await server.api.storage.listVolumeAttachment();
    expect(left.items.map(({ metadata }) => metadata?.name)).toEqual(["of-b"]);
  });

  test("keeps its pods while the machine answers, and reports that at the deadline", async () => {
    const isGone = async () => ({ gone: false, reason: "a answers SSH" });
    await expect(drained({ timeout: 2, isGone })).rejects.toThrow(
      /the kubelet does not respond; a answers SSH.*default\/web-1 did not terminate.*onUnreachable: force/,
    );
    expect(await cluster.pods("a")).toContain("web-1");
    expect(await cluster.isCordoned("a")).toBe(false);
  });

  test("is cleared without proof if onUnreachable is force", async () => {
    expect((await drained({ onUnreachable: "force" })).forced?.pods).toHaveLength(2);
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
      status: (text) => said.push(text),
    });

  beforeEach(async () => {
    for (const name of ["p1", "p2", "p3"]) await cluster.node(name, { labels: { [POOL_LABEL]: "p" } });
  });

  test("removes its nodes one after the other, without the order of the program", async () => {
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

  test("counts a node that is down, but removes it without waiting", async () => {
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

  test("of an easy drain has no obstacle", async () => {
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
