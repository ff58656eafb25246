import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../../components/config";
import { assignMachines, rollingUpdateOf } from "../../../../components/program/assign-machines";

const environment = { kubernetesVersions: ["1.36.3"], fileExists: () => true };

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

describe("a canary and a soak", () => {
  const kubernetes = { version: "1.36.3", hold: { workers: "1.36.3" }, canary: ["worker-2"], soak: 60 };
  const config = parseConfig({ kubernetes }, environment);

  test("reach the rolling update", () => {
    expect(rollingUpdateOf(config)).toMatchObject({ first: ["worker-2"], onePoolAtATime: true });
  });

  test("reach the nodes of the pool", () => {
    const { pools } = assignMachines(config, []);
    expect(pools[0]).toMatchObject({ version: "1.36.3", canaries: ["worker-2"] });
  });
});

describe("a pool whose machines are replaced", () => {
  const supported = { ...environment, kubernetesVersions: ["1.35.4", "1.36.3"] };
  const kubernetes = { version: "1.36.3", hold: { workers: "1.35.4" }, canary: ["worker-2"] };

  test("has the versions of its kubelets, a canary's too", () => {
    const config = parseConfig({ kubernetes, workers: { upgrade: "replace" } }, supported);
    expect(rollingUpdateOf(config).pools[0]).toMatchObject({
      replacedFor: { "worker-1": "1.35.4", "worker-2": "1.36.3" },
    });
  });

  test("has the version of a worker that is held by itself", () => {
    const hold = { workers: "1.35.3", "worker-1": "1.35.4" };
    const config = parseConfig({ kubernetes: { ...kubernetes, hold }, workers: { upgrade: "replace" } }, supported);
    expect(rollingUpdateOf(config).pools[0]?.replacedFor).toEqual({ "worker-1": "1.35.4", "worker-2": "1.36.3" });
    expect(assignMachines(config, []).pools[0]).toMatchObject({
      version: "1.35.3",
      versions: { "worker-1": "1.35.4" },
    });
  });

  test("has none by default", () => {
    expect(rollingUpdateOf(parseConfig({ kubernetes }, supported)).pools[0]).not.toHaveProperty("replacedFor");
  });

  test.each([
    { pools: { gpu: { upgrade: "replace", machines: { kind: "ssh" }, hosts: [{ name: "gpu-1", host: "10.0.0.9" }] } } },
    {
      pools: { gpu: { upgrade: "replace", machines: { kind: "vagrant" } } },
      machines: { vagrant: { vagrantfile: "Vagrantfile" } },
    },
  ])("must not have machines of the user's own: %j", (config) => {
    expect(() => parseConfig(config, supported)).toThrow(
      /pools\.gpu\.upgrade: the pool has machines that Kubewright did not/,
    );
  });
});
