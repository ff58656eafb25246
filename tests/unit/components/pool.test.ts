import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../components/config";
import { assignMachines, machineNodeSettings, rollingUpdateOf } from "../../../components/pool";

const environment = { kubernetesVersions: ["1.36.3"], fileExists: () => true };
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

describe("maxUnavailable", () => {
  const config = parseConfig({ workers: { count: 3, maxUnavailable: 2 }, pools: { gpu: { count: 1 } } }, environment);

  test("of a pool reaches its rolling update", () => {
    expect(rollingUpdateOf(config)).toEqual({
      pools: [
        { names: ["worker-1", "worker-2", "worker-3"], maxUnavailable: 2 },
        { names: ["gpu-1"], maxUnavailable: 1 },
      ],
      others: ["control-plane-1"],
    });
  });

  test("of a pool reaches its nodes' arguments", () => {
    const { pools } = assignMachines(config, [{ name: "worker-1", host: "10.0.0.1" }]);
    expect(pools.map(({ name, maxUnavailable }) => [name, maxUnavailable])).toEqual([
      ["workers", 2],
      ["gpu", 1],
    ]);
  });
});
