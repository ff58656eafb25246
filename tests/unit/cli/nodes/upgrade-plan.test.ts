import { describe, expect, test } from "vitest";
import type { ClusterStatus } from "../../../../cli/nodes/cluster-status";
import { planUpgrade, readApiServers, type UpgradeFacts } from "../../../../cli/nodes/upgrade-plan";
import { upgradePlanText } from "../../../../cli/nodes/upgrade-plan-text";

function node(name: string, version: string, pool = "workers"): ClusterStatus["nodes"][number] {
  const roles = pool === "control-plane" ? ["control-plane"] : [];
  const state = { ready: true, conditions: [], cordoned: false, taints: [], pods: 1, evicted: 0, capacity: 110 };
  return { name, pool, version, roles, runtime: "containerd 2.4.2", address: "10.0.0.1", created: "", ...state };
}

function facts(changes: Partial<UpgradeFacts> = {}, problems: string[] = [], warnings: string[] = []): UpgradeFacts {
  const nodes = [node("cp-1", "1.34.4", "control-plane"), node("worker-1", "1.34.4"), node("gpu-1", "1.34.4", "gpu")];
  const status = { version: "1.34.4", nodes, certificates: [], problems, warnings, healthy: problems.length === 0 };
  return {
    ...{ apiServers: ["1.34.4"], to: "1.36.3", supported: ["1.36.3", "1.35.4", "1.34.4"], status },
    ...{ deprecated: [], obstacles: new Map(), poolVersions: new Map(), ...changes },
  };
}

test("the plan names the chain, the nodes in order, and what an operator should look at", () => {
  const obstacles = new Map([["worker-1", ["web-1: eviction refused by PodDisruptionBudget default/web"]]]);
  const deprecated = [{ resource: "endpoints.v1", users: ["kube-controller-manager", "operator/2.1"] }];
  const plan = planUpgrade(facts({ obstacles, deprecated }, [], ["cp-1: certificate apiserver expires in 12 days"]));
  expect(upgradePlanText(plan, {})).toBe(`Upgrade: 1.34.4 -> 1.35.4 -> 1.36.3

For each version, in this order:
  1. images and binaries are copied; only the container runtime restarts, if its pause image changes
  2. cp-1: a snapshot of etcd, then the static pods, then the kubelet, one after the other
  3. pool workers: worker-1 (1.34.4), drained, then the kubelet
  4. pool gpu: gpu-1 (1.34.4), drained, then the kubelet
  5. kube-proxy and CoreDNS

Duration: about 4 minutes, and longer where drains wait for pods
Deprecated APIs in use: endpoints.v1 (no release removes it yet; used by kube-controller-manager, operator/2.1)

To look at:
  cp-1: certificate apiserver expires in 12 days
  drain of worker-1: web-1: eviction refused by PodDisruptionBudget default/web
`);
  expect(plan.blocking).toEqual([]);
  expect(plan.pools.map(({ oldest }) => oldest)).toEqual(["1.34.4", "1.34.4"]);
});

test("the plan of the ladder has the services of systemd, and the add-ons of its rung", () => {
  const textOf = (ladder: NonNullable<UpgradeFacts["ladder"]>) =>
    upgradePlanText(planUpgrade(facts({ to: "1.35.4", ladder })), {});
  const top = textOf({ rung: "dns", runAs: "systemd" });
  expect(top).toContain("cp-1: a snapshot of etcd, then the services, then the kubelet, one after the other");
  expect(top).toContain("5. kube-proxy and CoreDNS");
  expect(textOf({ rung: "proxy", runAs: "static-pods" })).toMatch(/the static pods.*\n.*\n.*\n {2}5\. kube-proxy\n/);
  expect(textOf({ rung: "controllers", runAs: "static-pods" })).not.toMatch(/kube-proxy|CoreDNS/);
});

describe("a pool with additional machines", () => {
  const surges = [{ pool: "workers", machines: ["worker-2"], isRecorded: false }];

  test("has them in the plan, and changes after the pools without them", () => {
    const plan = planUpgrade(facts({ to: "1.35.4", surges }));
    expect(upgradePlanText(plan, {})).toContain(`
  3. pool gpu: gpu-1 (1.34.4), drained, then the kubelet
  4. kube-proxy and CoreDNS
  5. pool workers: additional worker-2, created and joined; then worker-1 (1.34.4), drained, then the kubelet; \
then worker-2, drained and removed
`);
  });

  test("takes longer than without them, by the same time for a chain", () => {
    for (const to of ["1.35.4", "1.36.3"]) {
      const [surged, without] = [facts({ to, surges }), facts({ to })].map((one) => planUpgrade(one).duration);
      expect(surged).toBe((without ?? 0) + 45);
    }
    expect(upgradePlanText(planUpgrade(facts({ to: "1.35.4", surges })), {})).toContain(
      "Duration: about 3 minutes, and longer where new machines start slowly, or drains wait for pods",
    );
  });

  test("is continued with those that have joined", () => {
    const joined = facts({ to: "1.35.4", surges: [{ pool: "workers", machines: ["worker-2"], isRecorded: true }] });
    joined.status.nodes.push(node("worker-2", "1.35.4"), node("worker-3", "1.35.4"));
    const [workers] = planUpgrade(joined).pools;
    expect(workers).toMatchObject({ oldest: "1.34.4", nodes: ["worker-1 (1.34.4)"] });
    expect(workers?.surge).toMatchObject({ areJoined: true, nodes: ["worker-1", "worker-3"], done: ["worker-3"] });
    expect(upgradePlanText(planUpgrade(joined), {})).toContain("pool workers: additional worker-2; then worker-1");
  });

  test("has none where none of its nodes changes, but loses those of an interrupted upgrade", () => {
    const done = facts({ to: "1.34.4", surges });
    expect(planUpgrade(done).pools[0]).not.toHaveProperty("surge");
    const left = planUpgrade({ ...done, surges: [{ pool: "workers", machines: ["worker-2"], isRecorded: true }] });
    expect(left).toMatchObject({ chain: [], pools: [{ surge: { areJoined: false } }, {}] });
    expect(upgradePlanText(left, {})).toMatch(/^Nothing to upgrade: .*\nworker-2: drained and removed, because/);
  });
});

test("the version of an API server is that of its static pod, or what it reports where systemd runs it", async () => {
  const pods = [{ spec: { nodeName: "cp-1", containers: [{ image: "registry.k8s.io/kube-apiserver:v1.35.4" }] } }];
  const apiWith = (items: object[]) =>
    ({
      patience: 1,
      core: {
        listNamespacedPod: async () => ({ items }),
        listNode: async () => ({ items: [{ metadata: { name: "cp-1" } }] }),
      },
      version: { getCode: async () => ({ gitVersion: "v1.36.3" }) },
    }) as never;
  const read = (items: object[]) => readApiServers(apiWith(items), new AbortController().signal);
  expect(await read(pods)).toEqual([{ node: "cp-1", version: "1.35.4" }]);
  expect(await read([])).toEqual([{ node: "cp-1", version: "1.36.3" }]);
});

test("an unhealthy cluster and an API that the target no longer has block the upgrade", () => {
  const deprecated = [{ resource: "widgets.v1beta3", removedIn: "1.35" }];
  const plan = planUpgrade(facts({ deprecated }, ["etcd: member cp-2 is unhealthy"]));
  expect(plan.blocking).toEqual(["etcd: member cp-2 is unhealthy", "widgets.v1beta3 is in use, and 1.35 removes it"]);
  expect(upgradePlanText(plan, {})).toContain("This must be solved first:\n  etcd: member cp-2 is unhealthy\n");
});

test("the oldest API server decides, and an interrupted upgrade continues", () => {
  const target = { to: "1.35.4", apiServers: ["1.35.4", "1.34.4"] };
  expect(planUpgrade(facts(target)).chain).toEqual(["1.35.4"]);
  expect(planUpgrade(facts({ ...target, apiServers: ["1.35.4"] })).chain).toEqual(["1.35.4"]);
});

describe("a chain of minor versions", () => {
  const at = (version: string, changes: Partial<UpgradeFacts> = {}) => facts({ apiServers: [version], ...changes });

  test("first ends an upgrade to the version of the control planes that was interrupted", () => {
    const plan = planUpgrade(at("1.35.4"));
    expect(plan).toMatchObject({ from: "1.35.4", chain: ["1.35.4", "1.36.3"] });
    expect(upgradePlanText(plan, {})).toContain("Upgrade: 1.35.4 -> 1.36.3\n\nFor each version, in this order:");
  });

  test("goes on from the version of the control planes where other nodes have another patch release of it", () => {
    const { status } = facts();
    const nodes = status.nodes.map((one) => ({ ...one, version: "1.35.2" }));
    expect(planUpgrade(at("1.35.4", { status: { ...status, nodes } })).chain).toEqual(["1.36.3"]);
  });

  test("does not wait for a pool that stays on its version", () => {
    const { status } = facts();
    const nodes = status.nodes.map((one) => (one.pool === "gpu" ? one : { ...one, version: "1.35.4" }));
    const poolVersions = new Map([["gpu", "1.34.4"]]);
    expect(planUpgrade(at("1.35.4", { poolVersions, status: { ...status, nodes } })).chain).toEqual(["1.36.3"]);
  });

  test("has its additional machines from the first version to the last", () => {
    const surges = [{ pool: "workers", machines: ["worker-2"], isRecorded: false }];
    expect(upgradePlanText(planUpgrade(facts({ surges })), {})).toContain(
      "additional worker-2, created and joined with the first version; then worker-1 (1.34.4), drained, " +
        "then the kubelet; after the last version worker-2, drained and removed\n",
    );
  });

  test("does not begin where the configuration does not fit its end", () => {
    const plan = planUpgrade(facts({ configProblems: ["pools.old.version: kubelet 1.32.1 is too old; use 1.33"] }));
    expect(plan.blocking).toEqual(["pools.old.version: kubelet 1.32.1 is too old; use 1.33"]);
  });
});

test("there is nothing to do where every node has its version, also a pool that has its own", () => {
  const plan = planUpgrade(facts({ to: "1.34.4" }));
  expect(plan.chain).toEqual([]);
  expect(upgradePlanText(plan, {})).toBe(
    "Nothing to upgrade: every control plane runs 1.34.4, and every pool its version.\n",
  );
  const { status } = facts();
  const nodes = status.nodes.map((one) => (one.pool === "gpu" ? one : { ...one, version: "1.35.4" }));
  const mixed = { to: "1.35.4", apiServers: ["1.35.4"], status: { ...status, nodes } };
  expect(planUpgrade(facts({ ...mixed, poolVersions: new Map([["gpu", "1.34.4"]]) })).chain).toEqual([]);
});

test("the plan names canaries and the soak, which it adds to the duration", () => {
  const text = upgradePlanText(planUpgrade(facts({ to: "1.35.4", canaries: ["gpu-1"], soak: 600 })), {});
  expect(text).toContain("Before the other workers: gpu-1\n");
  expect(text).toContain("After each control plane, canary and pool, the cluster must stay healthy for 600 s\n");
  expect(text).toContain("Duration: about 32 minutes");
});

test("a worker that is held by its name does not count as behind", () => {
  const nodes = facts().status.nodes.map((one) => ({ ...one, version: "1.35.4" }));
  const held = { to: "1.35.4", apiServers: ["1.35.4"], status: { ...facts().status, nodes } };
  const poolVersions = new Map([["workers", "1.34.4"]]);
  const plan = planUpgrade(facts({ ...held, poolVersions, heldNodes: new Map([["worker-1", "1.35.4"]]) }));
  expect(plan.chain).toEqual([]);
  expect(plan.pools[0]).toMatchObject({ oldest: "1.35.4", versions: { "worker-1": "1.35.4" } });
});

test("canaries do not count as behind while their pool is held", () => {
  const { status } = facts();
  const nodes = status.nodes.map((one) => (one.pool === "gpu" ? one : { ...one, version: "1.35.4" }));
  const held = { to: "1.35.4", apiServers: ["1.35.4"], status: { ...status, nodes } };
  const poolVersions = new Map([
    ["workers", "1.34.4"],
    ["gpu", "1.34.4"],
  ]);
  expect(planUpgrade(facts({ ...held, poolVersions })).chain).toEqual(["1.35.4"]);
  expect(planUpgrade(facts({ ...held, poolVersions, canaries: ["worker-1"] })).chain).toEqual([]);
});

test("names the pools whose machines are replaced", () => {
  const plan = planUpgrade(facts({ replacedPools: ["workers"] }));
  expect(upgradePlanText(plan, {})).toMatch(/3\. pool workers: .*, drained, then a new machine\n/);
});

describe("the plan names the nodes that change", () => {
  const [controlPlane, worker, gpu] = facts().status.nodes;
  const at = (versions: readonly string[], changes: Partial<UpgradeFacts> = {}) => {
    const nodes = [controlPlane!, worker!, gpu!].map((one, index) => ({ ...one, version: versions[index] ?? "" }));
    return planUpgrade(facts({ to: "1.35.4", ...changes, status: { ...facts().status, nodes } }));
  };

  test("and those that keep the version of their pool, or their own", () => {
    const plan = at(["1.34.4", "1.34.4", "1.34.4"], { poolVersions: new Map([["gpu", "1.34.4"]]) });
    expect(upgradePlanText(plan, {})).toContain(`
  3. pool workers: worker-1 (1.34.4), drained, then the kubelet
  4. kube-proxy and CoreDNS
These keep their version: gpu-1 (1.34.4)
`);
    expect(at(["1.34.4", "1.34.4", "1.34.4"], { heldNodes: new Map([["gpu-1", "1.34.4"]]) }).pools[1]).toMatchObject({
      nodes: [],
      waiting: ["gpu-1 (1.34.4)"],
    });
  });

  test("and not those that an interrupted run has changed already, which take no time", () => {
    const plan = at(["1.35.4", "1.35.4", "1.34.4"], { apiServers: ["1.35.4"] });
    expect(upgradePlanText(plan, {})).toContain(
      "\n  2. pool gpu: gpu-1 (1.34.4), drained, then the kubelet\n  3. kube-",
    );
    expect(plan.duration).toBeLessThan(at(["1.34.4", "1.34.4", "1.34.4"]).duration);
  });

  test("and drains none for a patch release, so nothing holds it up", () => {
    const obstacles = new Map(["worker-1", "gpu-1"].map((node) => [node, ["web-1: eviction refused"]]));
    const versions = ["1.35.3", "1.35.3", "1.35.3"];
    const plan = at(versions, { apiServers: ["1.35.3"], obstacles, replacedPools: ["gpu"] });
    expect(upgradePlanText(plan, {})).toContain("pool workers: worker-1 (1.35.3), the kubelet, without a drain\n");
    expect(upgradePlanText(plan, {})).toContain("pool gpu: gpu-1 (1.35.3), drained, then a new machine\n");
    expect(plan.notes).toEqual(["drain of gpu-1: web-1: eviction refused"]);
  });

  test("and has the obstacles of additional machines, which are drained at the end", () => {
    const surges = [{ pool: "workers", machines: ["worker-2"], isRecorded: true }];
    const obstacles = new Map([["worker-2", ["db-0: eviction refused"]]]);
    expect(at(["1.34.4", "1.34.4", "1.34.4"], { surges, obstacles }).notes).toEqual([
      "drain of worker-2: db-0: eviction refused",
    ]);
  });
});

test("the plan has the versions of etcd, and its health", () => {
  const etcd = { members: [{ name: "cp-1", isHealthy: true }], databaseSize: 0, databaseInUse: 0, alarms: [] };
  const health = "1 member, 1 healthy; database 0 MB, 0 MB of it in use\n";
  const textOf = (etcdPath: string[]) => upgradePlanText(planUpgrade(facts()), { etcd, etcdPath });
  expect(textOf(["3.6.5", "3.6.6", "3.6.8"])).toContain(`etcd: 3.6.5 -> 3.6.6 -> 3.6.8; ${health}`);
  expect(textOf([])).toContain(`etcd: ${health}`);
});
