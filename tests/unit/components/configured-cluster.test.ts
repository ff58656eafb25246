import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, expect, test, vi } from "vitest";
import { ConfiguredCluster } from "../../../components";
import { giveSdk } from "../../../components/machines/clouds/sdk";
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

test.each(["workers", "pools.gpu"])("commands of %s without their package are refused first", async (path) => {
  const empty = mkdtempSync(join(tmpdir(), "kubewright-empty-"));
  const cwd = vi.spyOn(process, "cwd").mockReturnValue(empty);
  const pool = { count: 1, commands: { afterJoin: [{ name: "a", script: "true" }] } };
  const configuration = path === "workers" ? { ...docker, workers: pool } : { ...docker, pools: { gpu: pool } };
  const registrations = await recordRegistrations(() => {
    giveSdk("@pulumi/command", undefined);
    expect(() => new ConfiguredCluster("cluster", { folder: "/state", configuration })).toThrow(
      `${path}.commands: commands of the pool ${path.replace("pools.", "")} need the package @pulumi/command, ` +
        "which is not installed; run `npm install @pulumi/command`",
    );
  });
  expect(registrations.map(label)).toEqual([`${TYPE} cluster`]);
  cwd.mockRestore();
  rmSync(empty, { recursive: true });
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

const MADE_BY = "urn:pulumi:dev::kubewright::vendor:index:Server::server";
const machine = (name: string) => ({
  name,
  host: pulumi.output(`${name}.example.com`),
  madeBy: pulumi.output(MADE_BY),
});
const CLUSTER = "kubewright:components:Cluster";

test("a cluster on machines of the program's own takes addresses and URNs that are known only later", async () => {
  const args = {
    version: "1.36.3",
    controlPlanes: [machine("boss")],
    pools: [{ name: "workers", machines: [machine("hand")] }],
  };
  const registrations = await recordRegistrations(() => void construct("own", CLUSTER, args, {}));
  const host = registrations.find(({ name }) => name === "own-hand-host");
  expect(host).toMatchObject({
    parent: `${CLUSTER} own`,
    deletedWith: "vendor:index:Server server",
    inputs: { connection: { host: "hand.example.com" } },
  });
  expect(registrations.map(label)).toContain("kubewright:kubeadm:Join own-hand-join");
});

test.each([
  [{ controlPlanes: pulumi.output([]) }, "controlPlanes"],
  [{ controlPlanes: [{ ...machine("boss"), name: pulumi.output("boss") }] }, "controlPlanes.0.name"],
  [{ controlPlanes: [], pools: [{ name: "a", machines: pulumi.output([]) }] }, "pools.0.machines"],
  [
    { controlPlanes: [], pools: [{ name: "a", settings: { labels: { host: pulumi.output("x") } } }] },
    "pools.0.settings",
  ],
])("the shape of a cluster must be known: case %#", async (args, path) => {
  const refused = construct("own", CLUSTER, { version: "1.36.3", ...args }, {});
  await expect(refused).rejects.toMatchObject({ propertyPath: expect.stringContaining(path) as unknown });
});
