import { expect, test } from "vitest";
import { resourcesOf, type StateResource } from "../../../../cli/engine/state";
import { dependenciesOf, readMap } from "../../../../cli/report/read-map";
import { configOf } from "../../../../components/program/program-config";
import { CLUSTER, fakeStack, urnOf, type FakeResource } from "../fake-stack";

async function resources(...more: readonly FakeResource[]): Promise<StateResource[]> {
  return await resourcesOf(fakeStack([...CLUSTER, ...more]));
}

test("lists control planes first, then the machines of the pools by number", async () => {
  const connection = (name: string) => ({ connection: { name, host: `${name}.example` } });
  const facts = { facts: { osId: "debian", osVersion: "12", cpus: 2, memoryMiB: 3_900 } };
  const hosts = ["worker-10", "worker-2", "gpu-1"].map((name) => ({
    ...{ type: "kubewright:host:Host", name: `${name}-host`, inputs: connection(name), outputs: facts },
  }));
  const node = { type: "kubewright:kube:Node", name: "gpu-1-node", inputs: { node: "gpu-1", pool: "gpu" } };
  const { machines } = readMap(await resources(...hosts, node));
  expect(machines.map(({ name, pool }) => `${pool} ${name}`)).toEqual([
    "control-plane control-plane-1",
    "gpu gpu-1",
    "workers worker-1",
    "workers worker-2",
    "workers worker-10",
  ]);
  expect(machines[1]).toMatchObject({ address: "gpu-1.example", hardware: "debian 12, 2 CPUs, 4 GiB" });
});

test("reads the balancers from the state, and the network and the endpoint from the configuration", async () => {
  expect(readMap(await resources())).toMatchObject({ hasBalancers: false });
  const balancer = { type: "kubewright:host:Unit", name: "worker-1-api-balancer" };
  const config = configOf({ controlPlane: '{"endpoint":{"kind":"external","address":"api.example.com:6443"}}' });
  expect(readMap(await resources(balancer), config)).toMatchObject({
    hasBalancers: true,
    externalEndpoint: "api.example.com:6443",
    network: { plugin: "flannel (host-gw)", podCidr: "10.244.0.0/16", serviceCidr: "10.10.0.0/16" },
  });
});

test("reads the address of a load balancer from the state", async () => {
  const config = configOf({
    machines: '{"kind":"hetzner"}',
    network: '{"flannel":{"backend":"vxlan"}}',
    controlPlane: '{"endpoint":{"kind":"loadBalancer"}}',
  });
  const inputs = { endpoints: ["203.0.113.80:6443", "203.0.113.80:6443"] };
  const kubeconfig = { type: "kubewright:local:Kubeconfig", name: "kubeconfig", inputs };
  expect(readMap(await resources(kubeconfig), config).externalEndpoint).toBe("203.0.113.80:6443");
  expect(readMap(await resources(), config).externalEndpoint).toBeUndefined();
});

test("reads the dependencies", async () => {
  const urn = urnOf("kubewright:host:Unit", "worker-1-kubelet");
  const unit = { type: "kubewright:host:Unit", name: "worker-1-kubelet", dependencies: ["urn:a"] };
  expect(dependenciesOf(await resources(unit)).get(urn)).toEqual(["urn:a"]);
});
