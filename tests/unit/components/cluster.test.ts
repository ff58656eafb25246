import { beforeAll, describe, expect, test } from "vitest";
import { Cluster, HetznerMachines, type Machine, RollingUpdate, Turns } from "../../../components";
import { planBinaries } from "../../../components/steps/node-preparation";
import { DEFAULT_NETWORK } from "../../../components/nodes/settings";
import { guardProbe } from "../../../render/guard";
import { type Registration, label, recordRegistrations } from "../../support/registrations";
import { facts } from "../render/samples";

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

describe("on each machine", () => {
  let registrations: Registration[];
  const inputsOf = (name: string) => registrations.find((each) => each.name === name)?.inputs;
  beforeAll(async () => {
    const machines = [machine("big", { host: "10.77.0.2" }), machine("container", { host: "10.77.0.3" })];
    registrations = await recordRegistrations(
      () => new Cluster("dev", { ...arguments_, pools: [{ name: "workers", machines }] }),
      {
        outputs: {
          "big-host": { facts: facts({ hostname: "big", cpus: 16 }) },
          "container-host": { facts: facts({ hostname: "container", conntrackWritable: false }) },
        },
      },
    );
  });

  test("the guard is probed, so that a refresh finds that its route is missing", () => {
    const { podCidr, serviceCidr } = DEFAULT_NETWORK;
    expect(inputsOf("big-guard")?.probe).toBe(guardProbe({ podCidr, serviceCidr }));
  });

  test("containerd's folders are removed with it", () => {
    expect(inputsOf("big-containerd")?.state).toEqual(
      expect.arrayContaining(["/var/lib/containerd", "/opt/containerd", "/etc/cni"]),
    );
  });

  test("the connection tracking is that of its own CPUs, and stays where it cannot be written", () => {
    const max = "net.netfilter.nf_conntrack_max";
    expect(inputsOf("boss-kernel")?.sysctls).toHaveProperty([max], "131072");
    expect(inputsOf("big-kernel")?.sysctls).toHaveProperty([max], "524288");
    expect(inputsOf("container-kernel")?.sysctls).not.toHaveProperty([max]);
  });
});

test("binaries for another architecture than the machine's are refused by name", () => {
  const plan = (arch: string) =>
    planBinaries({ machine: { name: "boss", arch: "amd64" }, arch, binaries: {}, runtime: "containerd" });
  expect(() => plan("arm64")).toThrow("boss: the machine is arm64, not amd64; set arch: arm64 for this machine");
  expect(() => plan("amd64")).toThrow("which is not in the cache"); // it looks for the binaries
});

test("a machine gets the binaries and images of its own architecture", async () => {
  const arm = machine("arm", { host: "10.77.0.2", arch: "arm64" });
  const registrations = await recordRegistrations(
    () =>
      new Cluster("dev", {
        ...arguments_,
        controlPlanes: [machine("boss", { arch: "amd64" })],
        pools: [{ name: "workers", machines: [arm] }],
      }),
    { outputs: { "boss-host": { facts: facts({ arch: "amd64" }) }, "arm-host": { facts: facts({ arch: "arm64" }) } } },
  );
  const sets = registrations.filter(({ type }) => type === "kubewright:local:Artifacts");
  expect(sets.map(({ inputs }) => inputs.arch)).toEqual(["amd64", "arm64"]);
  const needed = (name: string) => registrations.find((each) => each.name === name)?.dependsOn;
  for (const name of ["arm-binaries", "arm-images"]) {
    expect(needed(name)).toContain("kubewright:local:Artifacts kubernetes-1.36.3-arm64");
    expect(needed(name)).not.toContain("kubewright:local:Artifacts kubernetes-1.36.3-amd64");
  }
});

test("a flag that stops the API server of the ladder is refused, and accepted with kubeadm", async () => {
  await recordRegistrations(() => {
    const controlPlane = { extraArgs: { apiServer: { "anonymous-auth": "false" } } };
    expect(() => new Cluster("dev", { ...arguments_, controlPlane, components: {} })).toThrow(
      /cluster dev:\n {2}controlPlane\.extraArgs\.apiServer\.anonymous-auth: the API server does not accept it/,
    );
    expect(() => new Cluster("two", { ...arguments_, controlPlane })).not.toThrow();
  });
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
