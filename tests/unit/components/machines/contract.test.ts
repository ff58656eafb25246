import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { type ClusterConfig, parseConfig } from "../../../../components/config";
import { createMachines, machineRequests } from "../../../../components/program/create-machines";
import { KINDS, KIND_NAMES } from "../../../../components/config/machine-kinds";
import { fakeClouds } from "../../../support/clouds";
import { connectionOf, nodeAddress } from "../../../../components/machines/machine";

const ROUTED = { network: { flannel: { backend: "vxlan" } } };

/** The minimal configuration of a control plane and two workers, by kind. Add a line for a new kind. */
const LEAST: Record<string, object> = {
  docker: {},
  hetzner: ROUTED,
  digitalocean: ROUTED,
  aws: ROUTED,
  vagrant: { machines: { vagrant: { box: "fedora/41-cloud-base" } } },
  ssh: {
    machines: {
      ssh: {
        hosts: ["boss", "hand-1", "hand-2"].map((name, index) => ({
          name,
          host: `192.0.2.${index + 1}`,
          privateKeyPath: "/keys/id",
          role: index === 0 ? "control-plane" : "worker",
        })),
      },
    },
  },
};

interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** Records the inputs of a kind's resources, and returns outputs that name the resource. */
const registered: Registered[] = [];
beforeAll(async () => {
  fakeClouds();
  await pulumi.runtime.setMocks(
    {
      call: ({ inputs }) => inputs as Record<string, unknown>,
      newResource: ({ type, name, inputs }) => {
        registered.push({ type, name, inputs: inputs as Record<string, unknown> });
        const cloud = {
          ipv4Address: `address of ${name}`,
          ipv4AddressPrivate: `private ${name}`,
          publicIp: `address of ${name}`,
          privateIp: `private ${name}`,
        };
        const outputs = {
          ...cloud,
          privateKeyPath: "/keys/vagrant",
          address: `address of ${name}`,
          privateAddress: `private ${name}`,
          publicKey: "ssh-ed25519 AAAA",
          user: "root",
          port: 22,
          hostKey: `ssh-ed25519 ${name}`,
        };
        return { id: name, state: { ...inputs, ...outputs } as Record<string, unknown> };
      },
    },
    "kubewright",
    "contract",
  );
});

function configOf(kind: string, changes: { machines?: object; workers?: object; pools?: object } = {}): ClusterConfig {
  const least = LEAST[kind] as { machines?: object };
  const raw = { ...least, ...changes, machines: { kind, ...least.machines, ...changes.machines } };
  return parseConfig(raw, { kubernetesVersions: ["1.36.3"], fileExists: () => true });
}

const known = { cluster: "contract", folder: "/tmp/contract" };

function resolved<T>(value: pulumi.Input<T> | undefined): Promise<T | undefined> {
  return new Promise((done) => void pulumi.output(value).apply((plain) => done(plain as T | undefined)));
}

test("every kind is tested", () => {
  expect(Object.keys(LEAST).sort()).toEqual([...KIND_NAMES].sort());
});

describe.each(KINDS.map((kind) => [kind.name, kind] as const))("%s", (name, kind) => {
  test("returns each requested machine, by its name and in order", () => {
    const config = configOf(name);
    const wanted = machineRequests(config)
      .filter((request) => request.kind === kind)
      .map((request) => request.name);
    expect(wanted).toHaveLength(3);
    expect(createMachines(config, known).machines.map((machine) => machine.name)).toEqual(wanted);
  });

  test("every machine can be reached by the user and by the cluster; its key is not in the state", async () => {
    const { machines } = createMachines(configOf(name), known);
    for (const machine of machines) {
      const { host, privateKeyPath, privateKey } = connectionOf(machine);
      expect(await resolved(host)).toBeTruthy();
      expect(await resolved(nodeAddress(machine))).toBeTruthy();
      expect(await resolved(privateKeyPath)).toBeTruthy();
      expect(privateKey).toBeUndefined();
    }
    const addresses = await Promise.all(machines.map((machine) => resolved(nodeAddress(machine))));
    expect(new Set(addresses).size).toBe(machines.length);
  });

  test("a created machine has `madeBy` and, for the first connection, a host key", async () => {
    for (const machine of createMachines(configOf(name), known).machines) {
      expect(machine.madeBy !== undefined).toBe(kind.makes);
      if (kind.makes) expect(await resolved(machine.hostKey)).toMatch(/^ssh-ed25519 /);
    }
  });

  test("refuses an unknown property of its section, with its path", () => {
    expect(() => configOf(name, { machines: { [name]: { nonsense: 1 } } })).toThrow(`machines.${name}.nonsense`);
  });
});

// A listed machine has no resource before its Host, which the cluster creates.
test.each(KINDS.filter(({ makes }) => makes).map((kind) => kind.name))(
  "machines of kind %s are replaced in order",
  async (name) => {
    const asked: string[] = [];
    const rollingUpdate = { turnOf: (machine: string) => Promise.resolve(void asked.push(machine)).then(() => []) };
    createMachines(configOf(name), { ...known, rollingUpdate });
    await expect.poll(() => [...new Set(asked)].sort()).toEqual(["control-plane-1", "worker-1", "worker-2"]);
  },
);

test("a listed host keeps the processor architecture that its configuration names", () => {
  const host = (name: string, more: object) => ({ name, host: `192.0.2.${name.length}`, password: "x", ...more });
  const hosts = [host("boss", { role: "control-plane" }), host("worker", { role: "worker", arch: "arm64" })];
  const { machines } = createMachines(configOf("ssh", { machines: { ssh: { hosts } } }), known);
  expect(machines.map(({ name, arch }) => [name, arch])).toEqual([
    ["boss", undefined],
    ["worker", "arm64"],
  ]);
});

test("pools can have different kinds and sizes", async () => {
  const hosts = [{ name: "mine", host: "192.0.2.9", privateKeyPath: "/keys/id" }];
  const config = configOf("docker", {
    machines: { docker: { cpus: 1, memoryMiB: 1024 } },
    workers: { count: 0, hosts },
    pools: { small: {}, large: { machines: { docker: { cpus: 4 } } } },
  });
  const { machines } = createMachines(config, known);
  const made = new Map(machines.map((machine) => [machine.name, machine.madeBy !== undefined]));
  expect(Object.fromEntries(made)).toEqual({ "control-plane-1": true, "small-1": true, "large-1": true, mine: false });
  const sizes = () =>
    registered
      .filter(({ name }) => /^(small|large)-1$/.test(name))
      .map(({ name, inputs }) => [name, inputs.cpus, inputs.memory])
      .sort();
  await expect.poll(sizes).toEqual([
    ["large-1", 4, 1024],
    ["small-1", 1, 1024],
  ]);
});
