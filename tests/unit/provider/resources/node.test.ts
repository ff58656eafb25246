import { beforeEach, describe, expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import { POOL_LABEL } from "../../../../common/labels";
import { DRAIN_DEFAULTS } from "../../../../contracts/drain";
import type { ProviderSettings } from "../../../../provider/settings/settings";
import { proveServingCertificate } from "../../../../provider/kubelet/prove-serving";
import { nodeResource } from "../../../../provider/resources/node";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { FakeCluster } from "../../../support/fake-cluster";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";
import { ScriptedMachine } from "../../../support/scripted-machine";

vi.mock("../../../../provider/kubelet/prove-serving", () => ({ proveServingCertificate: vi.fn() }));
vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const connection = connectionTo({ host: "10.0.0.1", name: "worker-1" });
const inputs = {
  controlPlanes: [connectionTo({ host: "10.0.0.9" })],
  node: "worker-1",
  instance: "",
  membership: "join",
  labels: { tier: "web" },
  annotations: {},
  taints: [],
  schedulable: true,
  readyTimeout: 30,
  drain: DRAIN_DEFAULTS,
  pool: "workers",
  maxUnavailable: 1,
  connection,
};

let memory: MemoryApi;
let cluster: FakeCluster;
let machine: ScriptedMachine;
let messages: string[];
let refusal: Error | undefined;
beforeEach(() => {
  memory = new MemoryApi();
  cluster = new FakeCluster(memory.api);
  machine = Object.assign(new ScriptedMachine(() => ({})), { machineId: async () => "" });
  messages = [];
  refusal = undefined;
});

function contextOf(settings: Partial<ProviderSettings> = {}) {
  const note = (kind: string) => (message: string) => void messages.push(`${kind}: ${message}`);
  const context = testContext({ info: note("info"), warn: note("warn"), isMachineOff: async () => true }, settings);
  context.connections.get = () => machine.remote;
  context.kube.api = async () => (refusal ? Promise.reject(refusal) : memory.api);
  return context;
}
const noControlPlane = () => new StepError({ step: "connecting to the Kubernetes API", cause: "connect ETIMEDOUT" });
const recorded = (changes: object = {}) => ({
  inputs: { ...inputs, ...changes },
  outputs: { kubeletVersion: "v1.36.3" },
});
const create = (changes: object = {}) => settle(nodeResource.create(contextOf(), { ...inputs, ...changes }));
const read = (changes: object = {}) => nodeResource.read!(contextOf(), "worker-1", recorded(changes));
const remove = (settings?: Partial<ProviderSettings>, changes: object = {}) =>
  settle(nodeResource.delete!(contextOf(settings), "worker-1", recorded(changes)));

async function joined(options: Parameters<FakeCluster["node"]>[1] = {}) {
  await cluster.node("worker-1", { labels: { [POOL_LABEL]: "workers", other: "kept" }, ...options });
  const status = { nodeInfo: { kubeletVersion: "v1.36.4", machineID: "id-1" } };
  await memory.api.core.patchNodeStatus({ name: "worker-1", body: { status } });
}

describe("a new node", () => {
  test("is labelled once it is Ready, and its kubelet's version is an output", async () => {
    await joined({ ready: false });
    setTimeout(() => void cluster.setReady("worker-1", true), 5_000);
    expect(await create()).toEqual({ id: "worker-1", outputs: { kubeletVersion: "v1.36.4" } });
    expect(memory.nodes.get("worker-1")?.metadata?.labels).toMatchObject({ tier: "web", other: "kept" });
    expect(machine.scripts).toEqual([]);
  });

  test("whose kubelet serves for addresses must serve a certificate of the cluster's CA", async () => {
    vi.mocked(proveServingCertificate).mockClear();
    await joined();
    await create({ servingAddresses: ["10.0.0.1"] });
    const { node: name, controlPlanes } = inputs;
    const kubelet = { name, controlPlanes, servingAddresses: ["10.0.0.1"] };
    expect(proveServingCertificate).toHaveBeenCalledExactlyOnceWith(expect.anything(), machine.remote, kubelet);
  });

  test("under pressure is created with a warning", async () => {
    await joined();
    await cluster.pressure("worker-1", "DiskPressure");
    await create();
    expect(messages).toEqual([
      "warn: worker-1 is Ready, but reports DiskPressure: ordinary pods are not scheduled to it; " +
        "run `kubectl describe node worker-1`",
    ]);
  });

  test("that does not register gets its kubelet restarted", async () => {
    machine.run = async (script) => {
      machine.scripts.push(script);
      await joined();
      return { code: 0, stdout: "", stderr: "" };
    };
    await create();
    expect(machine.scripts).toEqual(["systemctl restart kubelet"]);
  });

  test("that never registers fails with the command that shows why", async () => {
    await expect(create()).rejects.toThrow(
      /waiting for Ready failed on worker-1: the node has not registered; run `journalctl -u kubelet`/,
    );
  });

  test("gets its pod CIDR and loses its taint in a cluster without controller manager", async () => {
    const key = "node.kubernetes.io/not-ready";
    await joined({ taints: [{ key, effect: "NoSchedule" }] });
    await create({ podCidr: "10.244.3.0/24", uncontrolled: true });
    expect(memory.nodes.get("worker-1")?.spec).toMatchObject({ podCIDR: "10.244.3.0/24", taints: [] });
  });
});

test("an update proves the kubelet's certificate", async () => {
  vi.mocked(proveServingCertificate).mockClear();
  await joined();
  const changed = { ...inputs, servingAddresses: ["10.0.0.1"] };
  await settle(nodeResource.update!(contextOf(), "worker-1", changed, recorded()));
  expect(proveServingCertificate).toHaveBeenCalledOnce();
});

test("an update removes a label that is no longer configured, and leaves those of others", async () => {
  await joined();
  await create();
  const changed = { ...inputs, labels: { zone: "a" } };
  expect(await settle(nodeResource.update!(contextOf(), "worker-1", changed, recorded()))).toEqual({
    kubeletVersion: "v1.36.4",
  });
  expect(memory.nodes.get("worker-1")?.metadata?.labels).toEqual({ [POOL_LABEL]: "workers", other: "kept", zone: "a" });
});

describe("a refresh", () => {
  test("reads changed labels and a cordon as drift, and no labels of others", async () => {
    await joined({ cordoned: true });
    await memory.api.core.patchNode({ name: "worker-1", body: { metadata: { labels: { tier: "db" } } } });
    expect(await read()).toEqual({
      inputs: { ...inputs, labels: { tier: "db" }, schedulable: false },
      outputs: { kubeletVersion: "v1.36.4" },
    });
  });

  test("finds that a node was deleted", async () => {
    expect(await read()).toBeUndefined();
  });

  test("keeps the recorded state while no control plane answers, with a warning", async () => {
    refusal = noControlPlane();
    expect(await read()).toEqual(recorded());
    expect(messages).toEqual([expect.stringMatching(/^warn: not read, its last known state is kept: .*ETIMEDOUT/)]);
  });

  test("keeps the recorded state while etcd has no majority, with a warning", async () => {
    memory.inject = () => Object.assign(new Error("etcdserver: no leader"), { code: 422 });
    expect(await read()).toEqual(recorded());
    expect(messages).toEqual([
      expect.stringMatching(/^warn: not read, its last known state is kept: reading the node/),
    ]);
  });

  test("fails on an error that is not an unreachable cluster", async () => {
    refusal = new TypeError("a bug");
    await expect(read()).rejects.toThrow("a bug");
  });
});

describe("a delete", () => {
  test("drains the node, removes it, and reports how many pods moved", async () => {
    await joined();
    await cluster.pod("web-1", { node: "worker-1", owner: { kind: "ReplicaSet", uid: "web" } });
    cluster.run();
    await remove();
    expect([...memory.nodes.keys()]).toEqual([]);
    expect(messages).toContain("info: worker-1 is drained (1 pod) and has left the cluster");
  });

  test("leaves the node of a machine that was rebuilt under the name", async () => {
    await joined();
    await remove({}, { instance: "id-0" });
    expect([...memory.nodes.keys()]).toEqual(["worker-1"]);
    expect(messages).toEqual([]);
  });

  test("of a machine that is off deletes its pods, and warns that it was not cleaned", async () => {
    await joined({ ready: false });
    await cluster.pod("web-1", { node: "worker-1", owner: { kind: "ReplicaSet", uid: "web" } });
    cluster.silent.add("worker-1");
    cluster.run();
    const context = contextOf();
    await settle(nodeResource.delete!(context, "worker-1", recorded()));
    expect([...memory.nodes.keys()]).toEqual([]);
    expect(messages.join("\n")).toMatch(
      /warn: worker-1 was down: 1 pod was deleted without its kubelet \(default\/web-1\);.* was not cleaned/,
    );
    // The deletes of the machine's other resources do not wait for it.
    expect(context.unreachable.isMarkedGone(connection)).toBe(true);
  });

  test("fails while no control plane answers, unless the machine is abandoned", async () => {
    refusal = noControlPlane();
    await expect(remove()).rejects.toThrow("connect ETIMEDOUT");
    await remove({ abandoned: ["worker-1"] });
    expect(messages).toEqual(["warn: no control plane answers: node worker-1 was left as it is"]);
  });

  test("leaves the node of a lost cluster, which comes from a backup", async () => {
    refusal = noControlPlane();
    await remove({ restoreFrom: "latest" });
    expect(messages).toEqual(["warn: no control plane answers: node worker-1 was left as it is"]);
  });
});

test("a node that never becomes Ready is recorded, and the next update waits for it", async () => {
  const begun: unknown[] = [];
  const context = Object.assign(contextOf(), { begin: (...args: unknown[]) => void begun.push(args) });
  await expect(settle(nodeResource.create(context, inputs))).rejects.toThrow("the node has not registered");
  expect(begun).toEqual([["worker-1", { kubeletVersion: "" }]]);
  setTimeout(() => void joined(), 3_000);
  const unfinished = { ...recorded(), outputs: { kubeletVersion: "" } };
  expect(await settle(nodeResource.update!(contextOf(), "worker-1", inputs, unfinished))).toEqual({
    kubeletVersion: "v1.36.4",
  });
});

describe("an adoption", () => {
  const adopt = (changes: object = {}) => nodeResource.adopt!(contextOf(), { ...inputs, instance: "id-1", ...changes });

  test("records the node of the machine, also one that is not Ready, and labels nothing", async () => {
    await joined({ ready: false });
    expect(await adopt()).toEqual({ id: "worker-1", outputs: { kubeletVersion: "v1.36.4" } });
    expect(memory.nodes.get("worker-1")?.metadata?.labels).not.toHaveProperty("tier");
  });

  test("is refused where the node is missing, or that of another machine", async () => {
    await expect(adopt()).rejects.toThrow(/on worker-1: the cluster has no node of this name; compare the names/);
    await joined();
    await expect(adopt({ instance: "id-2" })).rejects.toThrow(/the node is that of another machine, id-1/);
  });
});
