import { beforeEach, expect, test, vi } from "vitest";
import { POOL_LABEL } from "../../../../common/labels";
import { PoolGate } from "../../../../provider/kube/pool-gate";
import { removeNode, type RemoveNodeOptions } from "../../../../provider/kube/remove-node";
import { FakeCluster } from "../../../support/fake-cluster";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

let memory: MemoryApi;
let cluster: FakeCluster;

beforeEach(async () => {
  memory = new MemoryApi();
  cluster = new FakeCluster(memory.api);
  for (const name of ["a", "b"]) await cluster.node(name, { labels: { [POOL_LABEL]: "workers" } });
  await cluster.pod("web-1", { node: "a", owner: { kind: "ReplicaSet", uid: "web" } });
  cluster.run();
});

const remove = (options: Partial<RemoveNodeOptions> = {}) =>
  settle(
    removeNode(memory.api, {
      node: "a",
      instance: "",
      gate: new PoolGate(),
      pool: "workers",
      maxUnavailable: 1,
      timeout: 20,
      signal: new AbortController().signal,
      status: () => undefined,
      ...options,
    }),
  );

test("a node is drained, and then deleted", async () => {
  expect((await remove())?.evicted).toEqual(["default/web-1"]);
  expect([...memory.nodes.keys()]).toEqual(["b"]);
});

test("a node whose drain fails stays", async () => {
  cluster.silent.add("a");
  await expect(remove()).rejects.toThrow("default/web-1 did not terminate");
  expect([...memory.nodes.keys()]).toEqual(["a", "b"]);
});

test("a node waits for its pool, except with force", async () => {
  await cluster.setReady("b", false);
  await expect(remove()).rejects.toThrow("b is not Ready");
  expect(await cluster.isCordoned("a")).toBe(false);
  expect(await remove({ force: true })).toBeDefined();
});

test("a node that is down itself does not wait for its pool", async () => {
  await cluster.setReady("a", false);
  await cluster.setReady("b", false);
  expect((await remove({ onUnreachable: "force" }))?.forced?.pods).toEqual(["default/web-1"]);
});

test("an unknown node, and that of another machine under the name, is not removed", async () => {
  expect(await remove({ node: "x" })).toBeUndefined();
  await memory.api.core.patchNodeStatus({ name: "a", body: { status: { nodeInfo: { machineID: "id-2" } } } });
  expect(await remove({ instance: "id-1" })).toBeUndefined();
  expect([...memory.nodes.keys()]).toEqual(["a", "b"]);
});
