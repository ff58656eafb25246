import { beforeEach, expect, test, vi } from "vitest";
import { planDrain } from "../../../../provider/kube/drain-plan";
import { type FakeCluster, fakeCluster } from "../../../support/fake-cluster";
import type { MemoryApi } from "../../../support/memory-api";

const WEB = { kind: "ReplicaSet", uid: "web" };
let memory: MemoryApi;
let cluster: FakeCluster;

beforeEach(async () => {
  vi.useRealTimers();
  ({ memory, cluster } = await fakeCluster("a", "b"));
});

const plan = (rules = {}) => planDrain(memory.api, "a", rules, new AbortController().signal);

test("an easy drain has no obstacles, and the plan changes nothing", async () => {
  await cluster.pod("web-1", { node: "a", owner: WEB });
  expect(await plan()).toMatchObject({ possible: true, pods: 1, obstacles: [], ready: true, cordoned: false });
  expect(memory.calls.filter((call) => /patchNode$|Eviction|delete/.test(call))).toEqual([]);
});

test("blocking budgets, local data and unmanaged pods are obstacles", async () => {
  await cluster.pod("web-1", { node: "a", owner: WEB, labels: { app: "web" } });
  await cluster.budget("keep-web", { app: "web" }, 0);
  await cluster.pod("bare", { node: "a", emptyDir: true });
  const blocked = await plan();
  expect(blocked).toMatchObject({ possible: false, localData: ["default/bare"], unmanaged: ["default/bare"] });
  expect(blocked.blocking).toEqual([
    { budget: "PodDisruptionBudget default/keep-web (1 healthy, 1 required)", pods: ["default/web-1"] },
  ]);
  expect(blocked.obstacles).toEqual([
    "default/web-1: eviction refused by PodDisruptionBudget default/keep-web (1 healthy, 1 required)",
    "default/bare would lose the data of an emptyDir volume; allow it with drain.localData: delete",
    "no controller would recreate default/bare; allow it with drain.unmanaged: delete",
  ]);
  expect((await plan({ localData: "delete" })).obstacles).toHaveLength(2);
  expect((await plan({ force: true })).obstacles).toHaveLength(1);
});

test("a budget that allows an eviction, or selects no Ready pod of the node, does not block", async () => {
  await cluster.pod("web-1", { node: "a", owner: WEB, labels: { app: "web" } });
  await cluster.budget("keep-web", { app: "web" }, 1);
  await cluster.pod("broken", { node: "a", owner: WEB, labels: { app: "broken" }, ready: false });
  await cluster.budget("keep-broken", { app: "broken" }, 0);
  expect((await plan()).blocking).toEqual([]);
});

test("pods that fit on no other node are obstacles", async () => {
  await cluster.pod("large", { node: "a", owner: WEB, requests: { memory: "5Gi" } });
  expect((await plan()).obstacles).toEqual(["default/large: no other node has 5120 MiB of memory free"]);
});
