import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test } from "vitest";
import { ConfiguredCluster } from "../../../components";
import { construct } from "../../../components/remote";
import { label, recordRegistrations } from "../../support/registrations";

const TYPE = "kubewright:components:ConfiguredCluster";
const docker = { machines: { kind: "docker" }, workers: { count: 1 } };

afterEach(() => pulumi.runtime.setAllConfig({}));

test("the machines and the cluster belong to the component, with the names that they have without it", async () => {
  const registrations = await recordRegistrations(() => {
    new ConfiguredCluster("cluster", { folder: "/state", configuration: docker });
  });
  const parents = Object.fromEntries(registrations.map((each) => [label(each), each.parent]));
  for (const name of ["Cluster dev", "DockerMachines dev"])
    expect(parents[`kubewright:components:${name}`]).toBe(`${TYPE} cluster`);
  expect(parents["kubewright:local:Kubeconfig dev-kubeconfig"]).toBe(`${TYPE} cluster`);
  expect(Object.keys(parents)).toContain("kubewright:kubeadm:Join worker-1-join");
});

test("without a configuration it is that of the stack", async () => {
  const registrations = await recordRegistrations(() => {
    pulumi.runtime.setAllConfig({ "kubewright:workers": '{"count": 3}', "other:workers": '{"count": 9}' });
    new ConfiguredCluster("cluster", { folder: "/state" });
  });
  const nodes = registrations.filter(({ type }) => type === "kubewright:kube:Node").map(({ name }) => name);
  expect(nodes).toEqual(["control-plane-1-node", "worker-1-node", "worker-2-node", "worker-3-node"]);
});

test("an invalid configuration is refused with the path of the property", async () => {
  await recordRegistrations(() => {
    const configuration = { network: { podCidr: "10.1.2.3/16" } };
    expect(() => new ConfiguredCluster("cluster", { folder: "/state", configuration })).toThrow(
      "network.podCidr: 10.1.2.3/16 has host bits set",
    );
  });
});

test("the engine constructs it for programs in other languages", async () => {
  const registrations = await recordRegistrations(() => {
    void construct("cluster", TYPE, { folder: "/state", configuration: docker }, {});
  });
  expect(registrations.map(label)).toContain("kubewright:kubeadm:Init dev-init");
});

test("a value that is known only later is refused with its path", async () => {
  const configuration = { machines: { ssh: { hosts: [{ name: "a", host: pulumi.output("192.0.2.1") }] } } };
  const refused = construct("cluster", TYPE, { configuration }, {});
  await expect(refused).rejects.toMatchObject({ propertyPath: "configuration.machines.ssh.hosts.0.host" });
});

test("an unknown component is refused", async () => {
  await expect(construct("cluster", "kubewright:components:Other", {}, {})).rejects.toThrow(
    "this version of the provider has no component kubewright:components:Other; update kubewright",
  );
});
