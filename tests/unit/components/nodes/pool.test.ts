import { describe, expect, test } from "vitest";
import { machineNodeSettings } from "../../../../components/nodes/pool";

const taint = (key: string, effect: "NoSchedule" | "NoExecute", value = "") => ({ key, value, effect });

describe("taints of one machine", () => {
  const merged = (own: ReturnType<typeof taint>[]) =>
    machineNodeSettings(
      {
        name: "gpu",
        machines: [],
        settings: { taints: [taint("gpu", "NoSchedule")] },
        nodes: { "gpu-1": { taints: own } },
      },
      "gpu-1",
    ).taints;

  test("replace the pool's taint with the same key and effect", () => {
    expect(merged([taint("gpu", "NoSchedule", "a")])).toEqual([taint("gpu", "NoSchedule", "a")]);
  });

  test("are added to the pool's taint with another effect", () => {
    expect(merged([taint("gpu", "NoExecute")])).toEqual([taint("gpu", "NoSchedule"), taint("gpu", "NoExecute")]);
  });

  test("are added to the pool's taint with another key", () => {
    expect(merged([taint("batch", "NoSchedule")])).toEqual([taint("gpu", "NoSchedule"), taint("batch", "NoSchedule")]);
  });
});

describe("the settings of a machine", () => {
  const pool = {
    name: "workers",
    machines: [],
    settings: {
      labels: { tier: "web", zone: "a" },
      kubelet: { maxPods: 250 },
      taints: [{ key: "k", value: "pool", effect: "NoSchedule" as const }],
    },
    nodes: {
      "worker-2": {
        labels: { zone: "b" },
        kubelet: { podPidsLimit: 100 },
        taints: [{ key: "k", value: "own", effect: "NoSchedule" as const }],
      },
    },
  };

  test("are the pool's, and its own over them", () => {
    expect(machineNodeSettings(pool, "worker-2")).toMatchObject({
      labels: { tier: "web", zone: "b" },
      kubelet: { maxPods: 250, podPidsLimit: 100 },
      taints: [{ key: "k", value: "own", effect: "NoSchedule" }],
    });
    expect(machineNodeSettings(pool, "worker-1")).toMatchObject(pool.settings);
  });
});
