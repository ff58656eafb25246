import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../../../components/config";
import { createMachines } from "../../../../components/program/create-machines";
import { loadSdk } from "../../../../components/machines/clouds/sdk";
import { type CloudConfig, userData } from "../../../../render/cloud-init";
import { fakeClouds } from "../../../support/clouds";
import { golden } from "../../render/samples";

type Inputs = Record<string, unknown>;
const registered = new Map<string, Inputs>();
const PRIVATE = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

beforeAll(async () => {
  fakeClouds();
  await pulumi.runtime.setMocks(
    {
      call: ({ inputs }) => inputs as Inputs,
      newResource: ({ type, name, inputs }) => {
        registered.set(`${type} ${name}`, inputs as Inputs);
        const number = String(registered.size);
        const outputs = {
          publicKey: `ssh-ed25519 ${name}`,
          privateKey: PRIVATE,
          fingerprint: `print of ${name}`,
          ipv4Address: "203.0.113.5",
          ipv4AddressPrivate: "10.91.0.5",
          publicIp: "203.0.113.6",
          privateIp: "10.92.0.6",
        };
        return { id: number, state: { ...outputs, ...inputs } as Inputs };
      },
    },
    "kubewright",
    "clouds",
  );
});

/** Creates the machines, and waits until the last of them is registered. */
async function createCloudMachines(
  kind: string,
  raw: { machines?: object; workers?: object; pools?: object } = {},
): Promise<ReturnType<typeof createMachines>["machines"]> {
  registered.clear();
  const config = parseConfig(
    { network: { flannel: { backend: "vxlan" } }, ...raw, machines: { kind, ...raw.machines } },
    { kubernetesVersions: ["1.36.3"], fileExists: () => true },
  );
  const { machines } = createMachines(config, { cluster: "dev", folder: "/tmp/clouds" });
  await Promise.all(
    machines.map(
      ({ host, privateAddress, hostKey }) =>
        new Promise((done) => pulumi.all([host, privateAddress, hostKey]).apply(done)),
    ),
  );
  return machines;
}
const of = (type: string, name: string): Inputs => registered.get(`${type} ${name}`) ?? {};
const namesOf = (type: string) =>
  [...registered.keys()].filter((key) => key.startsWith(`${type} `)).map((key) => key.split(" ")[1]);
const userDataOf = (inputs: Inputs) => {
  const data = inputs.userData as { value?: string } | string;
  return parse(typeof data === "string" ? data : (data.value ?? "")) as CloudConfig;
};

test("user data", async () => {
  const text = userData({
    hostname: "worker-1",
    authorizedKeys: ["ssh-ed25519 AAAAlogin kubewright dev"],
    hostKey: { privateKey: PRIVATE, publicKey: "ssh-ed25519 AAAAhost" },
  });
  await expect(text).toMatchFileSnapshot(golden("cloud-init/user-data.yaml"));
  expect((parse(text) as CloudConfig).ssh_keys.ed25519_private).toBe(PRIVATE);
});

test("a missing package is reported with its installation command", () => {
  const empty = mkdtempSync(join(tmpdir(), "kubewright-empty-"));
  const cwd = vi.spyOn(process, "cwd").mockReturnValue(empty);
  expect(() => loadSdk("@pulumi/nothing-of-the-kind")).toThrow(
    /need the package @pulumi\/nothing-of-the-kind, which is not installed; run `npm install/,
  );
  cwd.mockRestore();
  rmSync(empty, { recursive: true });
});

test("host-gw is refused if there are routers between the machines", () => {
  const raw = { machines: { kind: "hetzner" } };
  expect(() => parseConfig(raw, { kubernetesVersions: ["1.36.3"], fileExists: () => true })).toThrow(
    /network.flannel.backend: host-gw needs all machines on one network segment, .*hetzner.*; set .*: vxlan/,
  );
});

describe("Hetzner", () => {
  test("a server gets its name, labels, a fixed private address, Kubewright's host key and no password", async () => {
    const machines = await createCloudMachines("hetzner", { machines: { hetzner: { sshFrom: ["198.51.100.0/24"] } } });
    const server = of("hcloud:Server", "worker-1");
    expect(server).toMatchObject({
      name: "dev-worker-1",
      serverType: "cx23",
      image: "debian-12",
      location: "fsn1",
      labels: { "kubewright.io/cluster": "dev", "kubewright.io/pool": "workers", "kubewright.io/role": "worker" },
      networks: [{ ip: "10.90.0.19", aliasIps: [] }],
    });
    expect(userDataOf(server)).toMatchObject({
      hostname: "worker-1",
      ssh_pwauth: false,
      ssh_authorized_keys: ["ssh-ed25519 dev-ssh-key"],
      ssh_keys: { ed25519_public: "ssh-ed25519 worker-1-host-key" },
    });
    expect(of("hcloud:Firewall", "dev-firewall").rules).toMatchObject([
      { protocol: "tcp", port: "22", sourceIps: ["198.51.100.0/24"] },
      { protocol: "icmp" },
    ]);
    expect(machines.map(({ arch, privateAddress, user }) => [arch, privateAddress, user])).toEqual([
      ["amd64", "10.90.0.10", "root"],
      ["amd64", "10.90.0.19", "root"],
      ["amd64", "10.90.0.20", "root"],
    ]);
  });

  test("the servers of a pool are spread over placement groups of ten", async () => {
    await createCloudMachines("hetzner", { workers: { count: 12 } });
    expect(namesOf("hcloud:PlacementGroup").sort()).toEqual(["dev-control-plane-1", "dev-workers-1", "dev-workers-2"]);
    const group = (name: string) => of("hcloud:Server", name).placementGroupId;
    expect(new Set(Array.from({ length: 10 }, (_, index) => group(`worker-${index + 1}`))).size).toBe(1);
    expect(group("worker-11")).not.toBe(group("worker-1"));
  });

  test("an arm64 pool beside an amd64 one", async () => {
    const machines = await createCloudMachines("hetzner", {
      pools: { arm: { machines: { hetzner: { serverType: "cax21", location: "nbg1" } } } },
    });
    expect(machines.find(({ name }) => name === "arm-1")?.arch).toBe("arm64");
    expect(of("hcloud:Server", "arm-1")).toMatchObject({ serverType: "cax21", location: "nbg1", image: "debian-12" });
  });
});

describe("DigitalOcean", () => {
  test("a droplet has its tags, its VPC and our host key; the firewall knows the nodes' own ports", async () => {
    const [first] = await createCloudMachines("digitalocean");
    expect(of("digitalocean:Droplet", "worker-1")).toMatchObject({
      name: "dev-worker-1",
      region: "fra1",
      size: "s-2vcpu-4gb",
      image: "debian-12-x64",
      sshKeys: ["print of dev-login"],
      tags: ["kubewright", "kubewright-cluster:dev", "kubewright-pool:workers", "kubewright-role:worker"],
    });
    expect(userDataOf(of("digitalocean:Droplet", "worker-1")).ssh_keys.ed25519_public).toBe(
      "ssh-ed25519 worker-1-host-key",
    );
    await vi.waitFor(() => expect(namesOf("digitalocean:Firewall")).toEqual(["dev-firewall"]));
    const { inboundRules, dropletIds } = of("digitalocean:Firewall", "dev-firewall") as {
      inboundRules: object[];
      dropletIds: number[];
    };
    expect(dropletIds).toHaveLength(3);
    const inside = (protocol: string, portRange: string) => ({
      protocol,
      portRange,
      sourceAddresses: ["10.91.0.0/24"],
    });
    expect(inboundRules).toEqual([
      { protocol: "tcp", portRange: "22", sourceAddresses: ["0.0.0.0/0"] },
      { protocol: "icmp", sourceAddresses: ["0.0.0.0/0", "::/0"] },
      inside("tcp", "6443"),
      inside("tcp", "2379-2380"),
      inside("tcp", "7444"),
      inside("tcp", "10250"),
      inside("udp", "8472"),
    ]);
    expect(first).toMatchObject({ name: "control-plane-1", arch: "amd64", user: "root" });
  });
});

describe("AWS", () => {
  test("an instance gets tags and an image of its family and architecture, and hides user data from pods", async () => {
    const machines = await createCloudMachines("aws", {
      pools: { arm: { machines: { aws: { instanceType: "t4g.large", image: "ubuntu-24.04" } } } },
    });
    expect(of("aws:ec2:Instance", "worker-1")).toMatchObject({
      ami: "ami of 136693071363 debian-12-amd64-*",
      instanceType: "t3.medium",
      placementGroup: expect.anything() as unknown,
      metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
      tags: {
        Name: "dev-worker-1",
        "kubewright.io/cluster": "dev",
        "kubewright.io/pool": "workers",
        "kubewright.io/role": "worker",
      },
    });
    expect(of("aws:ec2:Instance", "arm-1").ami).toBe(
      "ami of 099720109477 ubuntu/images/hvm-ssd*/ubuntu-noble-24.04-arm64-server-*",
    );
    expect(machines.map(({ arch }) => arch)).toEqual(["amd64", "amd64", "amd64", "arm64"]);
  });

  test("the security group lets in SSH, and what nodes need of one another", async () => {
    await createCloudMachines("aws", { machines: { aws: { sshFrom: ["198.51.100.7/32"] } } });
    const { ingress } = of("aws:ec2:SecurityGroup", "dev-nodes") as {
      ingress: { fromPort: number; toPort: number; self?: boolean; cidrBlocks?: string[] }[];
    };
    expect(ingress.map(({ fromPort, toPort, self, cidrBlocks }) => [fromPort, toPort, self ?? cidrBlocks])).toEqual([
      [22, 22, ["198.51.100.7/32"]],
      [-1, -1, ["0.0.0.0/0"]],
      [6443, 6443, true],
      [2379, 2380, true],
      [7444, 7444, true],
      [10250, 10250, true],
      [8472, 8472, true],
    ]);
    expect(namesOf("aws:ec2:PlacementGroup").sort()).toEqual(["dev-control-plane-1", "dev-workers-1"]);
  });

  test("refuses an image that is neither a family nor an AMI, with its path", () => {
    const raw = { network: { flannel: { backend: "vxlan" } }, machines: { kind: "aws", aws: { image: "windows" } } };
    expect(() => parseConfig(raw, { kubernetesVersions: ["1.36.3"], fileExists: () => true })).toThrow(
      "machines.aws.image",
    );
  });
});
