import { describe, expect, test } from "vitest";
import { Cluster, HetznerMachines, type Machine, RollingUpdate, Turns } from "../../../components";
import { refuseOtherArchitecture } from "../../../components/steps/node-preparation";
import { label, recordRegistrations } from "../../support/registrations";

const machine = (name: string, changes: Partial<Machine> = {}): Machine => ({ name, host: "10.77.0.1", ...changes });
const arguments_ = { version: "1.36.3", controlPlanes: [machine("boss")] };

describe("two clusters in one program", () => {
  test("have resources with different names, and the first keeps the names of existing stacks", async () => {
    const registrations = await recordRegistrations(() => {
      for (const name of ["one", "two"])
        new Cluster(name, {
          ...arguments_,
          pools: [{ name: "workers", machines: [machine("hand", { host: "10.77.0.2" })] }],
        });
    });
    const labels = registrations.map(label);
    expect(labels.filter((each, index) => labels.indexOf(each) !== index)).toEqual([]);
    expect(labels).toContain("kubewright:kube:Node hand-node");
    expect(labels).toContain("kubewright:kube:Node two-hand-node");
    expect(labels.filter((each) => each.includes("Artifacts kubernetes-1.36.3"))).toHaveLength(1);
  });
});

describe("settings of a pool", () => {
  test("reach the node: maxUnavailable, labels, and a taint's effect", async () => {
    const settings = { labels: { tier: "web" }, taints: [{ key: "a", effect: "NoExecute" as const }] };
    const registrations = await recordRegistrations(
      () =>
        new Cluster("dev", {
          ...arguments_,
          pools: [{ name: "web", machines: [machine("web-1", { host: "10.77.0.2" })], settings, maxUnavailable: 3 }],
        }),
    );
    expect(registrations.find(({ name }) => name === "web-1-node")?.inputs).toMatchObject({
      maxUnavailable: 3,
      pool: "web",
      labels: { tier: "web", "kubewright.io/pool": "web" },
      taints: [{ key: "a", effect: "NoExecute" }],
    });
  });
});

test("a machine of another architecture than its binaries is refused by name", () => {
  expect(() => refuseOtherArchitecture({ name: "boss", arch: "amd64" }, "arm64")).toThrow(
    "boss: the machine is arm64, not amd64; set arch: arm64 for this machine",
  );
  expect(() => refuseOtherArchitecture({ name: "boss", arch: "arm64" }, "arm64")).not.toThrow();
});

test("a worker that the cluster does not have is reported with those that it has", async () => {
  await recordRegistrations(() => {
    const cluster = new Cluster("dev", arguments_);
    expect(() => cluster.joined("hand")).toThrow("cluster dev has no worker named hand; its workers are none");
  });
});

test("a cluster below the rung apiserver has no access", async () => {
  await recordRegistrations(() => {
    const cluster = new Cluster("dev", { ...arguments_, components: { rung: "etcd" } });
    expect(cluster.hasApi).toBe(false);
    expect(() => cluster.access).toThrow("cluster dev: rung etcd has no API server");
  });
});

test("machines of a cloud can be created with all settings left to their defaults", async () => {
  const registrations = await recordRegistrations(
    () => new HetznerMachines("ha", { machines: [{ name: "worker-1" }], folder: "/keys" }),
  );
  expect(registrations.find(({ name, type }) => name === "worker-1" && type === "hcloud:Server")?.inputs).toMatchObject(
    {
      serverType: "cx23",
      location: "fsn1",
      labels: { "kubewright.io/pool": "workers", "kubewright.io/role": "worker" },
    },
  );
});

test("the old name of RollingUpdate still works", () => {
  expect(Turns).toBe(RollingUpdate);
});
