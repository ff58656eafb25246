import { beforeEach, expect, test } from "vitest";
import {
  isCordoned,
  readNode,
  requireNode,
  restoreSchedulable,
  setSchedulable,
} from "../../../../provider/kube/cordon";
import { fakeCluster } from "../../../support/fake-cluster";
import type { MemoryApi } from "../../../support/memory-api";

const signal = new AbortController().signal;
let memory: MemoryApi;

beforeEach(async () => {
  ({ memory } = await fakeCluster("a"));
});

const live = async () => await memory.api.core.readNode({ name: "a" });

test("a cordon marks the node unschedulable and can be undone", async () => {
  expect(await setSchedulable(memory.api, "a", false, signal)).toBe(true);
  expect(isCordoned(await live())).toBe(true);
  await restoreSchedulable(memory.api, "a");
  expect(isCordoned(await live())).toBe(false);
});

test("the cordon of an unknown node reports false", async () => {
  expect(await setSchedulable(memory.api, "x", false, signal)).toBe(false);
});

test("an unknown node is undefined, or an error where it is required", async () => {
  expect(await readNode(memory.api, "x", signal)).toBeUndefined();
  await expect(requireNode(memory.api, "x", signal)).rejects.toThrow("the cluster has no node of this name");
});
