import { describe, expect, test } from "vitest";
import {
  type ClusterConfig,
  additionalNames,
  heldMachines,
  machineName,
  numberOf,
  numbersOf,
  parseConfig,
  poolMachineNames,
  poolsOf,
  versionProblems,
} from "../../../../components/config";
import { machineRequests } from "../../../../components/program/create-machines";

const environment = { kubernetesVersions: ["1.36.3"], fileExists: () => true };
const parsed = (raw: unknown): ClusterConfig => parseConfig(raw, environment);
const SSH_HOSTS = [
  { name: "boss", host: "10.0.0.1", role: "control-plane" },
  { name: "hand", host: "10.0.0.2", role: "worker" },
];
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

describe("a paused upgrade", () => {
  const versions = ["1.36.3", "1.35.4", "1.34.4"];
  const held = (hold: Record<string, string>) =>
    parseConfig(
      { kubernetes: { version: "1.36.3", hold }, pools: { old: { version: "1.34.4" } } },
      { ...environment, kubernetesVersions: versions },
    );

  test("holds pools on their version, unless they have a version of their own", () => {
    const pools = poolsOf(held({ workers: "1.35.4", old: "1.35.4" }));
    expect(pools.map(({ name, version }) => [name, version])).toEqual([
      ["workers", "1.35.4"],
      ["old", "1.34.4"],
    ]);
    expect(poolsOf(held({})).map(({ version }) => version)).toEqual([undefined, "1.34.4"]);
  });

  test("of a pool that does not exist is refused", () => {
    expect(() => held({ gpu: "1.35.4" })).toThrow(/kubernetes\.hold\.gpu.*there is no pool or worker named gpu/s);
    expect(() => held({ "worker-9": "1.35.4" })).toThrow(
      /there is no pool or worker named worker-9; use .* of a worker, or remove kubernetes\.hold\.worker-9/,
    );
  });

  test("holds single workers, whose versions are checked like those of pools", () => {
    const config = held({ workers: "1.34.4", "worker-2": "1.35.4" });
    expect(poolsOf(config).map((pool) => heldMachines(config, pool))).toEqual([{ "worker-2": "1.35.4" }, {}]);
    expect(() => held({ "worker-2": "1.33.9" })).toThrow(
      /kubernetes\.hold\.worker-2.*cannot install version 1\.33\.9/s,
    );
  });

  test("holds the pool where a pool has the name of a worker", () => {
    const kubernetes = { version: "1.36.3", hold: { "worker-1": "1.35.4" } };
    const config = parseConfig(
      { kubernetes, pools: { "worker-1": {} } },
      { ...environment, kubernetesVersions: versions },
    );
    expect(poolsOf(config).map((pool) => [pool.version, heldMachines(config, pool)])).toEqual([
      [undefined, {}],
      ["1.35.4", {}],
    ]);
  });

  test("has additional machines, with the highest numbers", () => {
    const config = parseConfig({ kubernetes: { additional: { workers: 1 } }, workers: { skip: [2] } }, environment);
    const [workers] = poolsOf(config);
    expect(workers && poolMachineNames(config, workers)).toEqual(["worker-1", "worker-3", "worker-4"]);
    expect(workers && additionalNames(config, workers)).toEqual(["worker-4"]);
    const [without] = poolsOf({ ...config, kubernetes: {} });
    expect(without).toMatchObject({ count: 2, additional: 0 });
    expect(without && additionalNames(config, without)).toEqual([]);
  });

  test.each([
    [{ kubernetes: { additional: { gpu: 1 } } }, /kubernetes\.additional\.gpu: there is no pool named gpu/],
    [
      { machines: { kind: "ssh", ssh: { hosts: SSH_HOSTS } }, workers: { surge: 1 } },
      /workers\.surge: machines of kind ssh cannot be created, so the pool can have no additional ones; leave it out/,
    ],
    [
      { machines: { kind: "ssh", ssh: { hosts: SSH_HOSTS } }, kubernetes: { additional: { workers: 1 } } },
      /kubernetes\.additional\.workers: machines of kind ssh cannot be created/,
    ],
    [
      { machines: { kind: "vagrant", vagrant: { vagrantfile: "/work/Vagrantfile" } }, workers: { surge: 1 } },
      /workers\.surge: the machines are defined in your own Vagrantfile, so the pool can have no additional ones/,
    ],
    [
      { workers: { surge: 1, maxUnavailable: 2 } },
      /workers\.surge: 1 is less than maxUnavailable \(2\).*; use 2 or more, or lower workers\.maxUnavailable/,
    ],
  ])("has additional machines only where they can be created: %j", (raw, problem) => {
    expect(() => parseConfig(raw, environment)).toThrow(problem);
  });

  test("has canaries that are workers", () => {
    const withCanary = (canary: string[]) => parseConfig({ kubernetes: { canary } }, environment);
    expect(withCanary(["worker-2"]).kubernetes.canary).toEqual(["worker-2"]);
    expect(() => withCanary(["worker-1", "control-plane-1"])).toThrow(
      /there is no worker named control-plane-1; use worker-1 or worker-2, or remove kubernetes\.canary\[1\]/,
    );
    expect(() => parsed({ kubernetes: { canaryAfter: ["worker-9"] } })).toThrow(
      /kubernetes\.canaryAfter\[0\]: there is no worker named worker-9/,
    );
  });
});

test("a configuration that does not fit a later version has the same problems as with that version", () => {
  const raw = {
    kubernetes: { version: "1.35.4" },
    pools: { old: { version: "1.32.0" } },
    workers: { kubelet: { featureGates: { MemoryManager: true } } },
  };
  const config = parseConfig(raw, { ...environment, kubernetesVersions: ["1.36.3", "1.35.4", "1.32.0"] });
  expect(versionProblems(config, "1.35.4")).toEqual([]);
  expect(versionProblems(config, "1.36.3").map(({ path }) => path)).toEqual([
    "pools.old.version",
    "workers.kubelet.featureGates.MemoryManager",
  ]);
});
