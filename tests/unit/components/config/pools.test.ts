import { describe, expect, test } from "vitest";
import {
  type ClusterConfig,
  machineName,
  numberOf,
  numbersOf,
  parseConfig,
  poolsOf,
} from "../../../../components/config";
import { assignSlots } from "../../../../components/machines/slots";
import { machineRequests } from "../../../../components/machines";
import { machineNodeSettings } from "../../../../components/pool";

const environment = { kubernetesVersions: ["1.36.3"], fileExists: () => true };
const parsed = (raw: unknown): ClusterConfig => parseConfig(raw, environment);
const namesToMake = (config: ClusterConfig): string[] =>
  machineRequests(config)
    .filter(({ kind }) => kind.makes)
    .map(({ name }) => name);

describe("the machines of a pool", () => {
  test("have the first numbers that are not skipped", () => {
    expect(numbersOf({ count: 3, skip: [] })).toEqual([1, 2, 3]);
    expect(numbersOf({ count: 3, skip: [2, 7] })).toEqual([1, 3, 4]);
    expect(numbersOf({ count: 0, skip: [1] })).toEqual([]);
  });

  test("are named after their pool, those of workers worker-N", () => {
    expect([machineName("workers", 2), machineName("gpu", 2)]).toEqual(["worker-2", "gpu-2"]);
    expect([numberOf("workers", "worker-12"), numberOf("gpu", "gpu-x-1"), numberOf("gpu", "worker-1")]).toEqual([
      12,
      undefined,
      undefined,
    ]);
  });

  test("are created for every pool of a kind that creates machines", () => {
    const config = parsed({ workers: { count: 2, skip: [1] }, pools: { gpu: {}, old: { count: 0 } } });
    expect(namesToMake(config)).toEqual(["control-plane-1", "worker-2", "worker-3", "gpu-1"]);
  });

  test("are not created for a pool of hosts, unless a count is given", () => {
    const hosts = [{ name: "mine", host: "10.0.0.9", privateKeyPath: "/keys/id" }];
    expect(namesToMake(parsed({ pools: { gpu: { hosts } } }))).not.toContain("gpu-1");
    expect(namesToMake(parsed({ pools: { gpu: { hosts, count: 1 } } }))).toContain("gpu-1");
  });

  test("workers come first", () => {
    expect(poolsOf(parsed({ pools: { gpu: {} } })).map(({ name, path }) => [name, path])).toEqual([
      ["workers", "workers"],
      ["gpu", "pools.gpu"],
    ]);
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

describe("a machine's slot in the network", () => {
  const room = 244;

  test("follows from its name, not from the other machines", () => {
    const few = assignSlots(["control-plane-1", "worker-1", "gpu-1"], room);
    const many = assignSlots(
      ["control-plane-1", "control-plane-2", "control-plane-3", "worker-1", "worker-2", "worker-3", "boss", "gpu-1"],
      room,
    );
    for (const [name, slot] of few) expect(many.get(name)).toBe(slot);
  });

  test("is unique, also in a small network", () => {
    const names = [
      ...Array.from({ length: 9 }, (_, index) => `control-plane-${index + 1}`),
      "worker-1",
      "worker-2",
      "a",
      "b",
      "c",
    ];
    for (const places of [room, names.length]) {
      const slots = [...assignSlots(names, places).values()];
      expect(new Set(slots).size).toBe(names.length);
      for (const slot of slots) expect(slot).toBeLessThan(places);
    }
  });
});
