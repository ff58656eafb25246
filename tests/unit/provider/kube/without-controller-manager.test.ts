import { beforeEach, expect, test } from "vitest";
import { admitNode } from "../../../../provider/kube/without-controller-manager";
import { fakeCluster } from "../../../support/fake-cluster";
import type { MemoryApi } from "../../../support/memory-api";

const signal = new AbortController().signal;
let memory: MemoryApi;

beforeEach(async () => {
  ({ memory } = await fakeCluster("a"));
});

const live = async () => await memory.api.core.readNode({ name: "a" });

const GPU = { key: "gpu", effect: "NoSchedule" };

beforeEach(async () => {
  const taints = [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }, GPU];
  await memory.api.core.patchNode({ name: "a", body: { spec: { taints } } });
});

test("without a controller manager, the node gets its pod CIDR and loses the not-ready taint", async () => {
  await admitNode(memory.api, await live(), { node: "a", podCidr: "10.244.1.0/24", uncontrolled: true, signal });
  const { spec } = await live();
  expect(spec).toMatchObject({ podCIDR: "10.244.1.0/24", podCIDRs: ["10.244.1.0/24"] });
  expect(spec?.taints).toEqual([GPU]);
});

test("with a controller manager, the taint stays", async () => {
  await admitNode(memory.api, await live(), { node: "a", podCidr: "10.244.1.0/24", signal });
  expect((await live()).spec?.taints).toHaveLength(2);
});

test("an assigned pod CIDR is kept, and nothing is patched", async () => {
  await memory.api.core.patchNode({ name: "a", body: { spec: { podCIDR: "10.244.9.0/24" } } });
  const patches = memory.countOf("patchNode");
  await admitNode(memory.api, await live(), { node: "a", podCidr: "10.244.1.0/24", signal });
  expect(memory.countOf("patchNode")).toBe(patches);
});
