import { beforeEach, describe, expect, test } from "vitest";
import { applyNodeSettings, readNodeSettings, type NodeSettings } from "../../../../provider/kube/node-settings";
import { fakeCluster } from "../../../support/fake-cluster";
import type { MemoryApi } from "../../../support/memory-api";

const signal = new AbortController().signal;
let memory: MemoryApi;

beforeEach(async () => {
  ({ memory } = await fakeCluster("a"));
});

const live = async () => await memory.api.core.readNode({ name: "a" });

describe("node settings", () => {
  const taint = { key: "gpu", value: "yes", effect: "NoSchedule" as const };
  const desired: NodeSettings = {
    labels: { tier: "front" },
    annotations: { note: "x" },
    taints: [taint],
    schedulable: true,
  };
  const patchNode = async (body: object) => await memory.api.core.patchNode({ name: "a", body });

  test("are applied beside the settings of others", async () => {
    const maintenance = { key: "maintenance", effect: "NoExecute" };
    await patchNode({ metadata: { labels: { zone: "1" } }, spec: { taints: [maintenance] } });
    await applyNodeSettings(memory.api, "a", desired, signal);
    const { metadata, spec } = await live();
    expect(metadata?.labels).toEqual({ zone: "1", tier: "front" });
    expect(metadata?.annotations).toEqual({ note: "x" });
    expect(spec?.taints).toEqual([maintenance, taint]);
  });

  test("that are no longer desired are removed", async () => {
    await applyNodeSettings(memory.api, "a", desired, signal);
    const next: NodeSettings = { labels: {}, annotations: {}, taints: [], schedulable: false };
    await applyNodeSettings(memory.api, "a", next, signal, desired);
    const { metadata, spec } = await live();
    expect(metadata?.labels).toEqual({});
    expect(metadata?.annotations).toEqual({});
    expect(spec?.taints).toEqual([]);
    expect(spec?.unschedulable).toBe(true);
  });

  test("keep two effects of one taint key apart", async () => {
    const other = { ...taint, effect: "NoExecute" as const };
    const both = { ...desired, taints: [taint, other] };
    await applyNodeSettings(memory.api, "a", both, signal);
    expect((await live()).spec?.taints).toEqual([taint, other]);
    await applyNodeSettings(memory.api, "a", { ...desired, taints: [other] }, signal, both);
    expect((await live()).spec?.taints).toEqual([other]);
  });

  test("that are up to date send no patch", async () => {
    await applyNodeSettings(memory.api, "a", desired, signal);
    const patches = memory.countOf("patchNode");
    await applyNodeSettings(memory.api, "a", desired, signal);
    expect(memory.countOf("patchNode")).toBe(patches);
  });

  test("are read from the node, limited to the managed ones", async () => {
    await applyNodeSettings(memory.api, "a", desired, signal);
    const metadata = { labels: { tier: "back", zone: "1" }, annotations: { note: null } };
    await patchNode({ metadata, spec: { unschedulable: true } });
    expect(readNodeSettings(await live(), desired)).toEqual({
      labels: { tier: "back" },
      annotations: {},
      taints: [taint],
      schedulable: false,
    });
  });
});
