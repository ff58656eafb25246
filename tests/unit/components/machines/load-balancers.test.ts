import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { AwsMachines, Cluster, DigitalOceanMachines, HetznerMachines } from "../../../../components";
import { parseConfig } from "../../../../components/config";
import { createFromConfig } from "../../../../components/configured-cluster";
import { type Registration, recordRegistrations } from "../../../support/registrations";

/** What the program registers for a configuration whose endpoint is a load balancer. */
async function registered(kind: string, count: number, shared: object = {}): Promise<Registration[]> {
  const raw = {
    machines: { kind, [kind]: shared },
    network: { flannel: { backend: "vxlan" } },
    controlPlane: { count, endpoint: { kind: "loadBalancer" } },
  };
  const config = parseConfig(raw, { kubernetesVersions: ["1.36.3"], fileExists: () => true });
  return await recordRegistrations(() => {
    createFromConfig(config, { name: pulumi.getStack(), folder: "/state", kubeconfig: "kubeconfig" });
  });
}

const find = (all: readonly Registration[], name: string) => all.find((one) => one.name === name);
const ofType = (all: readonly Registration[], type: string) => all.filter((one) => one.type === type);
const namesOf = (all: readonly Registration[], type: string) => ofType(all, type).map(({ name }) => name);
const targets = (...numbers: number[]) => numbers.map((number) => `control-plane-${number}-api-target`);

/** Checks what the address of every load balancer is used for. */
function expectAddress(all: readonly Registration[], address: string): void {
  const documents = (name: string) => JSON.stringify(find(all, name)?.inputs.documents);
  expect(documents("dev-init")).toContain(`"${address}"`);
  expect(documents("control-plane-1-control-plane")).toContain(`"${address}"`);
  expect(new Set(find(all, "kubeconfig")?.inputs.endpoints as string[])).toEqual(new Set([`${address}:6443`]));
  const users = all
    .filter(({ inputs }) => JSON.stringify(inputs).includes(address))
    .filter(({ type }) => !/^(?:hcloud|digitalocean|aws):/.test(type))
    .map(({ type }) => type);
  expect([...new Set(users)].sort()).toEqual([
    "kubewright:kubeadm:ClusterConfiguration",
    "kubewright:kubeadm:ControlPlane",
    "kubewright:kubeadm:Init",
    "kubewright:local:Kubeconfig",
  ]);
}

describe("Hetzner", () => {
  test("the load balancer checks /readyz over HTTPS, and uses the private network", async () => {
    const all = await registered("hetzner", 3);
    expect(find(all, "dev-api-load-balancer")).toMatchObject({
      type: "hcloud:LoadBalancer",
      ignoreChanges: ["location"],
      inputs: {
        name: "dev-api",
        loadBalancerType: "lb11",
        location: "fsn1",
        labels: { "kubewright.io/cluster": "dev" },
      },
    });
    expect(find(all, "dev-api-load-balancer-network")).toMatchObject({
      inputs: { ip: "10.90.0.2", enablePublicInterface: true },
      dependsOn: expect.arrayContaining(["hcloud:NetworkSubnet dev-subnet"]) as string[],
    });
    expect(find(all, "dev-api-load-balancer-service")?.inputs).toMatchObject({
      protocol: "tcp",
      listenPort: 6443,
      destinationPort: 6443,
      proxyprotocol: false,
      healthCheck: { protocol: "http", port: 6443, http: { path: "/readyz", tls: true, statusCodes: ["200"] } },
    });
    expect(namesOf(all, "hcloud:LoadBalancerTarget")).toEqual(targets(1, 2, 3));
    expect(find(all, "control-plane-3-api-target")).toMatchObject({
      inputs: { type: "server", usePrivateIp: true },
      dependsOn: expect.arrayContaining([
        "hcloud:LoadBalancerNetwork dev-api-load-balancer-network",
        "hcloud:Server control-plane-3",
      ]) as string[],
    });
    expectAddress(all, "203.0.113.80");
  });

  test("growth adds targets, and changes neither the load balancer nor the kubeconfig's address", async () => {
    const [one, three] = [await registered("hetzner", 1), await registered("hetzner", 3)];
    expect(namesOf(one, "hcloud:LoadBalancerTarget")).toEqual(targets(1));
    for (const name of ["dev-api-load-balancer", "dev-api-load-balancer-network", "dev-api-load-balancer-service"])
      expect(find(three, name)).toEqual(find(one, name));
    const address = (all: Registration[]) => (find(all, "kubeconfig")?.inputs.endpoints as string[])[0];
    expect(address(three)).toBe(address(one));
    expect(find(three, "kubeconfig")?.dependsOn).toEqual(
      expect.arrayContaining([
        "hcloud:LoadBalancerService dev-api-load-balancer-service",
        ...targets(1, 2, 3).map((name) => `hcloud:LoadBalancerTarget ${name}`),
      ]),
    );
  });
});

test("DigitalOcean: the load balancer is in the VPC, and the droplets accept its connections", async () => {
  const all = await registered("digitalocean", 3, { apiFrom: ["198.51.100.0/24"] });
  expect(find(all, "dev-api-load-balancer")?.inputs).toMatchObject({
    name: "dev-api",
    region: "fra1",
    vpcUuid: "dev-vpc-id",
    forwardingRules: [{ entryProtocol: "tcp", entryPort: 6443, targetProtocol: "tcp", targetPort: 6443 }],
    healthcheck: { protocol: "https", port: 6443, path: "/readyz" },
    firewall: { allows: ["cidr:198.51.100.0/24"] },
  });
  expect(find(all, "dev-api-load-balancer")?.inputs.dropletIds).toHaveLength(3);
  const { inboundRules } = find(all, "dev-firewall")?.inputs as { inboundRules: { portRange?: string }[] };
  expect(inboundRules.find(({ portRange }) => portRange === "6443")).toMatchObject({
    sourceAddresses: ["10.91.0.0/24"],
    sourceLoadBalancerUids: ["dev-api-load-balancer-id"],
  });
  expectAddress(all, "203.0.113.81");
  expect(find(await registered("digitalocean", 1), "dev-api-load-balancer")?.inputs).not.toHaveProperty("firewall");
});

test("AWS: a Network Load Balancer checks /readyz, and instances accept its connections", async () => {
  const all = await registered("aws", 3, { apiFrom: ["198.51.100.0/24"] });
  expect(find(all, "dev-api-load-balancer")?.inputs).toMatchObject({
    name: "kw-dev-api",
    loadBalancerType: "network",
    internal: false,
    subnets: ["dev-subnet-id"],
    securityGroups: ["dev-api-id"],
  });
  expect(find(all, "dev-api-targets")?.inputs).toMatchObject({
    protocol: "TCP",
    port: 6443,
    targetType: "instance",
    healthCheck: { protocol: "HTTPS", port: "6443", path: "/readyz", matcher: "200" },
  });
  expect(find(all, "dev-api-listener")?.inputs).toMatchObject({ protocol: "TCP", port: 6443 });
  expect(namesOf(all, "aws:lb:TargetGroupAttachment")).toEqual(targets(1, 2, 3));
  expect(find(all, "dev-api")?.inputs.ingress).toMatchObject([{ fromPort: 6443, cidrBlocks: ["198.51.100.0/24"] }]);
  const { ingress } = find(all, "dev-nodes")?.inputs as { ingress: { fromPort: number; securityGroups?: string[] }[] };
  const fromBalancer = ingress.filter(({ securityGroups }) => securityGroups).map(({ fromPort }) => fromPort);
  expect(fromBalancer).toEqual([6443]);
  expectAddress(all, "dev-api-0123.elb.eu-central-1.amazonaws.com");
});

test("another kind of endpoint creates no load balancer", async () => {
  const raw = { machines: { kind: "aws" }, network: { flannel: { backend: "vxlan" } } };
  const config = parseConfig(raw, { kubernetesVersions: ["1.36.3"], fileExists: () => true });
  const all = await recordRegistrations(() => {
    createFromConfig(config, { name: pulumi.getStack(), folder: "/state", kubeconfig: "kubeconfig" });
  });
  expect(all.filter(({ type }) => /oadBalancer|^aws:lb:/.test(type))).toEqual([]);
  expect(namesOf(all, "aws:ec2:SecurityGroup")).toEqual(["dev-nodes"]);
});

describe("as a library", () => {
  const machines = [{ name: "control-plane-1", role: "control-plane" as const }];

  test.each([
    ["Hetzner", HetznerMachines],
    ["DigitalOcean", DigitalOceanMachines],
    ["AWS", AwsMachines],
  ])("%s: the component's endpoint is the cluster's", async (_, Machines) => {
    const all = await recordRegistrations(() => {
      const cloud = new Machines("ha", { machines, folder: "/keys", loadBalancer: true });
      const controlPlane = { endpoint: cloud.apiEndpoint };
      new Cluster("ha", { version: "1.36.3", controlPlanes: cloud.machines, controlPlane });
    });
    const { documents } = find(all, "ha-init")?.inputs ?? {};
    expect(JSON.stringify(documents)).toMatch(/203\.0\.113\.8[01]|elb\.eu-central-1/);
  });

  test("an endpoint without a load balancer, and a load balancer without a control plane, are refused", async () => {
    await recordRegistrations(() => {
      const cloud = new HetznerMachines("ha", { machines, folder: "/keys" });
      expect(() => cloud.apiEndpoint).toThrow("set loadBalancer: true");
      const workers = { machines: [{ name: "worker-1" }], folder: "/keys", loadBalancer: true };
      expect(() => new HetznerMachines("other", workers)).toThrow("needs a control plane");
    });
  });

  test("a load balancer without an address is refused", async () => {
    await recordRegistrations(() => {
      const endpoint = { kind: "loadBalancer" } as never;
      const controlPlanes = [{ name: "boss", host: "10.77.0.1" }];
      expect(() => new Cluster("ha", { version: "1.36.3", controlPlanes, controlPlane: { endpoint } })).toThrow(
        "controlPlane.endpoint.address: is missing",
      );
    });
  });
});
