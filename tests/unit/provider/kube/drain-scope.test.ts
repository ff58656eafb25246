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

test("a drain never lists the pods of the whole cluster", async () => {
  for (const name of ["web-1", "web-2"]) await cluster.pod(name, { node: "a", owner: WEB });
  cluster.replaces.set("web", "b");
  await settle(drainNode());
  const lists = memory.requests.filter(({ call }) => call === "listPodForAllNamespaces");
  expect(lists.length).toBeGreaterThan(0);
  for (const { args } of lists) expect(args).toMatchObject({ fieldSelector: "spec.nodeName=a" });
});

test("a pod that tolerates cordons and comes back is evicted once", async () => {
  const tolerations = [{ operator: "Exists" }];
  await cluster.pod("agent-1", { node: "a", owner: { kind: "StatefulSet", uid: "agent" }, tolerations });
  memory.inject = (call) => {
    if (call === "deleteNamespacedPod") {
      memory.inject = () => undefined;
      void cluster.pod("agent-2", { node: "a", owner: { kind: "StatefulSet", uid: "agent" }, tolerations });
    }
    return undefined;
  };
  expect((await settle(drainNode())).evicted).toEqual(["default/agent-1"]);
  expect(await cluster.pods("a")).toEqual(["agent-2"]);
});

describe("an eviction that can never succeed ends the drain immediately", () => {
  const begin = async () => {
    const begun = Date.now();
    const error = await settle(drainNode()).catch((reason: unknown) => String(reason));
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect(await cluster.isCordoned("a")).toBe(false);
    return error;
  };

  test("when a webhook refuses it", async () => {
    await cluster.pod("web-1", { node: "a", owner: WEB });
    memory.inject = (call) => (call.includes("Eviction") ? httpError(403, "denied by policy") : undefined);
    expect(await begin()).toMatch(
      /drain failed on a: default\/web-1: eviction refused by the API server: denied by policy/,
    );
  });

  test("when two budgets select the pod", async () => {
    await cluster.pod("web-1", { node: "a", owner: WEB, labels: { app: "web" } });
    await cluster.budget("one", { app: "web" }, 1);
    await cluster.budget("two", { app: "web" }, 1);
    expect(await begin()).toMatch(/default\/one .*default\/two .*; delete all but one of these PodDisruptionBudgets/);
  });

  test.each([
    [403, "namespaces shop is being terminated"],
    [500, "etcdserver: leader changed"],
    [409, "the object has been modified"],
  ])("but not after a %d that passes: %s", async (code, message) => {
    await cluster.pod("web-1", { node: "a", owner: WEB });
    let refusals = 3;
    memory.inject = (call) => (call.includes("Eviction") && refusals-- > 0 ? httpError(code, message) : undefined);
    expect((await settle(drainNode())).evicted).toEqual(["default/web-1"]);
  });
});

describe("volumes", () => {
  test("are detached before the drain ends", async () => {
    await cluster.pod("db-0", { node: "a", owner: { kind: "StatefulSet", uid: "db" }, claim: "data" });
    await cluster.attach("pv-1", "a");
    await cluster.attach("pv-2", "b");
    let isDrained = false;
    const running = drainNode().then(() => (isDrained = true));
    await elapse(10_000);
    expect(await cluster.pods("a")).toEqual([]);
    expect(isDrained).toBe(false);
    expect(messages.at(-1)).toContain("1 volume still attached");
    await cluster.detach("pv-1");
    await settle(running);
  });

  test("of pods that stay are not waited for", async () => {
    await cluster.pod("agent", { node: "a", owner: { kind: "DaemonSet", uid: "agent" }, claim: "cache" });
    memory.claims.set("default/cache", { spec: { volumeName: "pv-1" } });
    await cluster.attach("pv-1", "a");
    expect((await settle(drainNode())).evicted).toEqual([]);
  });

  test("that stay attached are named at the deadline", async () => {
    await cluster.attach("pv-1", "a");
    await expect(settle(drainNode())).rejects.toThrow(/not finished after 20 s: volumes are still attached: pv-1/);
  });

  test("are not waited for with force", async () => {
    await cluster.attach("pv-1", "a");
    await settle(drainNode({ force: true }));
  });
});

test("the grace period is passed to the eviction", async () => {
  await cluster.pod("web-1", { node: "a", owner: WEB });
  await settle(drainNode({ gracePeriod: 5 }));
  const eviction = memory.requests.find(({ call }) => call === "createNamespacedPodEviction");
  expect(eviction?.args).toMatchObject({ body: { deleteOptions: { gracePeriodSeconds: 5 } } });
});

test("a pod selector limits the drain to matching pods", async () => {
  await cluster.pod("web-1", { node: "a", owner: WEB, labels: { app: "web" } });
  await cluster.pod("bare", { node: "a", labels: { app: "other" }, emptyDir: true });
  expect((await settle(drainNode({ podSelector: "app=web" }))).evicted).toEqual(["default/web-1"]);
  expect(await cluster.pods("a")).toEqual(["bare"]);
});
