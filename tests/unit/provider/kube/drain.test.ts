import { beforeEach, describe, expect, test, vi } from "vitest";
import { type DrainedNode, drainedNode } from "../../../support/drained-node";
import type { FakeCluster } from "../../../support/fake-cluster";
import { elapse, settle, useFakeTime } from "../../../support/fake-time";
import { type MemoryApi, httpError } from "../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const WEB = { kind: "ReplicaSet", uid: "web" };
let memory: MemoryApi;
let cluster: FakeCluster;
let messages: string[];
let drainNode: DrainedNode["drainNode"];

beforeEach(async () => void ({ memory, cluster, messages, drainNode } = await drainedNode()));

describe("drain", () => {
  test("evicts a workload's pods one at a time, each after its replacement is Ready", async () => {
    for (const name of ["web-1", "web-2", "web-3"]) await cluster.pod(name, { node: "a", owner: WEB });
    cluster.replaces.set("web", "b");
    let fewestRunning = 3;
    const running = drainNode();
    const watch = setInterval(() => {
      const pods = [...memory.pods.values()].filter(({ metadata }) => !metadata?.deletionTimestamp);
      fewestRunning = Math.min(fewestRunning, pods.length);
    }, 10);
    const { evicted, wasCordoned } = await settle(running);
    clearInterval(watch);
    expect(evicted).toHaveLength(3);
    expect(fewestRunning).toBe(2);
    expect(wasCordoned).toBe(false);
    expect(await cluster.pods("a")).toEqual([]);
    expect(await cluster.pods("b")).toHaveLength(3);
    expect(await cluster.isCordoned("a")).toBe(true);
  });

  test("waits for a replacement that never comes only as long as its patience", async () => {
    for (const name of ["web-1", "web-2"]) await cluster.pod(name, { node: "a", owner: WEB });
    await cluster.pod("job-1", { node: "a", owner: { kind: "Job", uid: "job" } });
    const begun = Date.now();
    await settle(drainNode({ patience: 7 }));
    expect(Date.now() - begun).toBeGreaterThan(7_000);
    expect(Date.now() - begun).toBeLessThan(10_000);
    expect(cluster.ended).toHaveLength(3);
    expect(cluster.ended.slice(0, 2)).toContain("job-1");
  });

  test("leaves DaemonSet pods, mirror pods and finished pods on the node", async () => {
    await cluster.pod("agent", { node: "a", owner: { kind: "DaemonSet", uid: "agent" }, emptyDir: true });
    await cluster.pod("static", { node: "a", mirror: true });
    await cluster.pod("done", { node: "a", phase: "Succeeded", emptyDir: true });
    await cluster.pod("web-1", { node: "a", owner: WEB });
    expect((await settle(drainNode())).evicted).toEqual(["default/web-1"]);
    expect(await cluster.pods("a")).toEqual(["agent", "done", "static"]);
  });

  test("continues once a budget allows the eviction", async () => {
    await cluster.pod("web-1", { node: "a", owner: WEB, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    const running = drainNode();
    await elapse(5_000);
    expect(await cluster.pods("a")).toEqual(["web-1"]);
    await cluster.allow("keep-web", 1);
    expect((await settle(running)).evicted).toEqual(["default/web-1"]);
  });

  test("reports the cluster's missing node", async () => {
    await expect(settle(drainNode({ node: "c" }))).rejects.toThrow(/c.*the cluster has no node of this name/);
  });
});

describe("a drain that fails", () => {
  beforeEach(async () => {
    await cluster.pod("web-1", { node: "a", owner: WEB, labels: { app: "web" } });
    await cluster.budget("keep-web", { app: "web" }, 0);
    await cluster.budget("other", { app: "other" }, 0);
  });

  test("names the blocking budget and uncordons the node", async () => {
    await expect(settle(drainNode())).rejects.toThrow(
      "not finished after 20 s: default/web-1: eviction refused by PodDisruptionBudget default/keep-web " +
        "(1 healthy, 1 required); the node was left as schedulable as before",
    );
    expect(messages.join("\n")).toContain("default/web-1: eviction refused by PodDisruptionBudget default/keep-web");
    expect(messages.join("\n")).not.toContain("default/other");
    expect(await cluster.isCordoned("a")).toBe(false);
    expect(await cluster.pods("a")).toEqual(["web-1"]);
  });

  test("leaves a node cordoned that was cordoned before", async () => {
    await memory.api.core.patchNode({ name: "a", body: { spec: { unschedulable: true } } });
    await expect(settle(drainNode())).rejects.toThrow("keep-web");
    expect(await cluster.isCordoned("a")).toBe(true);
  });

  test("leaves the node cordoned with stayCordoned", async () => {
    await expect(settle(drainNode({ stayCordoned: true }))).rejects.toThrow("the node stays cordoned");
    expect(await cluster.isCordoned("a")).toBe(true);
  });

  test("uncordons the node when it is aborted", async () => {
    const abort = new AbortController();
    const running = drainNode({ signal: abort.signal });
    await elapse(2_000);
    expect(await cluster.isCordoned("a")).toBe(true);
    abort.abort(new Error("cancelled"));
    await expect(settle(running)).rejects.toThrow("cancelled");
    expect(await cluster.isCordoned("a")).toBe(false);
  });

  test("suggests a longer timeout when pods terminate slowly", async () => {
    await cluster.allow("keep-web", 1);
    cluster.silent.add("a");
    await expect(settle(drainNode())).rejects.toThrow(/default\/web-1 did not terminate.*raise drain\.timeout/);
  });
});

describe("pods that a drain would lose", () => {
  test("are rejected before anything is changed: emptyDir", async () => {
    await cluster.pod("cache-1", { node: "a", owner: WEB, emptyDir: true });
    await expect(settle(drainNode())).rejects.toThrow(/deleting default\/cache-1.*drain\.localData: delete/);
    expect(memory.countOf("patchNode")).toBe(0);
    expect((await settle(drainNode({ localData: "delete" }))).evicted).toEqual(["default/cache-1"]);
  });

  test("are rejected before anything is changed: no controller", async () => {
    await cluster.pod("bare", { node: "a" });
    await expect(settle(drainNode({ localData: "delete" }))).rejects.toThrow(
      /no controller would recreate default\/bare.*drain\.unmanaged: delete/,
    );
    expect(memory.countOf("patchNode")).toBe(0);
    expect((await settle(drainNode({ force: true }))).evicted).toEqual(["default/bare"]);
  });

  test("are rejected when they are scheduled between the check and the cordon", async () => {
    let isCordoning = false;
    memory.inject = (call) => {
      if (call === "patchNode" && !isCordoning) {
        isCordoning = true;
        void cluster.pod("late", { node: "a" });
      }
      return undefined;
    };
    await expect(settle(drainNode())).rejects.toThrow("no controller would recreate default/late");
    expect(await cluster.isCordoned("a")).toBe(false);
    expect(await cluster.pods("a")).toEqual(["late"]);
  });
});

describe("requests", () => {
  test("are repeated while the API server restarts", async () => {
    await cluster.pod("web-1", { node: "a", owner: WEB });
    let failures = 5;
    memory.inject = () => (failures-- > 0 ? httpError(503, "starting") : undefined);
    expect((await settle(drainNode())).evicted).toEqual(["default/web-1"]);
  });
});
