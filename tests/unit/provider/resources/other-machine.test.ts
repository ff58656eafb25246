import { beforeEach, describe, expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import { DRAIN_DEFAULTS, type DrainSettings } from "../../../../contracts/drain";
import type { KubeApi } from "../../../../provider/kube/api";
import { nodeResource } from "../../../../provider/resources/node";
import type { ProviderSettings } from "../../../../provider/settings/settings";
import { ConnectionError, HostKeyError } from "../../../../provider/ssh/errors";
import { newKeyPair } from "../../../../provider/ssh/key-pair";
import type { Remote } from "../../../../provider/ssh/remote";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { FakeCluster } from "../../../support/fake-cluster";
import { settle, useFakeTime } from "../../../support/fake-time";
import { MemoryApi } from "../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const INSTANCE = "11111111aaaa";
const OTHER = "22222222bbbb";
const hostKey = newKeyPair().public.trim();
const connection = connectionTo({ host: "10.0.0.1", name: "worker-1", hostKey });
const silent = new ConnectionError(connection, "connect ETIMEDOUT", "transient");
const stranger = new HostKeyError(connection, newKeyPair().public.trim());

let memory: MemoryApi;
let cluster: FakeCluster;
/** What answers at the address: a machine-id or an error. */
let answer: string | Error;
/** Whether the kubelet renews its lease. */
let renews: boolean;
let removed: boolean;
/** Number of requests for the lease that fail. */
let failedReads: number;

beforeEach(async () => {
  memory = new MemoryApi();
  cluster = new FakeCluster(memory.api);
  [answer, renews, removed, failedReads] = [INSTANCE, true, false, 0];
  await cluster.node("worker-1");
  const status = { nodeInfo: { kubeletVersion: "v1.36.4", machineID: INSTANCE } };
  await memory.api.core.patchNodeStatus({ name: "worker-1", body: { status } });
  await cluster.pod("web-1", { node: "worker-1", owner: { kind: "ReplicaSet", uid: "web" } });
  cluster.run();
});

function api(): KubeApi {
  const renewTime = () => (renews ? Math.floor(Date.now() / 10_000) : 0);
  const read = async () => {
    if (failedReads-- > 0) throw new Error("connect ECONNRESET");
    return { spec: { renewTime: renewTime() } };
  };
  return Object.assign(memory.api, { objects: { read } });
}

async function remove(drain: Partial<DrainSettings> = {}, settings: Partial<ProviderSettings> = {}): Promise<void> {
  const context = testContext({ isMachineRemoved: async () => removed, isMachineOff: async () => false }, settings);
  const machineId = () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer));
  context.connections.get = () => ({ machineId, label: "worker-1 (10.0.0.1)", patience: 1 }) as unknown as Remote;
  context.kube.api = async () => api();
  const inputs = {
    ...{ controlPlanes: [connectionTo({ host: "10.0.0.9" })], node: "worker-1", instance: INSTANCE },
    ...{ membership: "join", labels: {}, annotations: {}, taints: [], schedulable: true, readyTimeout: 30 },
    ...{ drain: { ...DRAIN_DEFAULTS, timeout: 20, ...drain }, pool: "workers", maxUnavailable: 1, connection },
  };
  const outputs = { kubeletVersion: "v1.36.4" };
  await settle(nodeResource.delete!(context, "worker-1", { inputs, outputs }));
}

async function goDown(): Promise<void> {
  renews = false;
  cluster.silent.add("worker-1");
  await cluster.setReady("worker-1", false);
}

/** No request changed anything. */
function expectUnchanged(): void {
  expect([...memory.nodes.keys()]).toEqual(["worker-1"]);
  expect(memory.calls.filter((call) => /^(patchNode$|delete|createNamespacedPodEviction)/.test(call))).toEqual([]);
}

function expectRemoved(): void {
  expect([...memory.nodes.keys()]).toEqual([]);
}

describe("a node is not drained", () => {
  test("while a machine with another host key answers at its address", async () => {
    answer = stranger;
    await expect(remove()).rejects.toBe(stranger);
    expectUnchanged();
  });

  test.each<[string, Partial<DrainSettings>]>([
    ["force", { force: true }],
    ["onUnreachable: force", { onUnreachable: "force" }],
    ["a fencing command", { fence: "true" }],
  ])("by %s, while its kubelet runs elsewhere", async (_, drain) => {
    answer = stranger;
    await expect(remove(drain)).rejects.toBe(stranger);
    expectUnchanged();
  });

  test("while its machine is not Ready and another one answers, without a decision of the user", async () => {
    await goDown();
    memory.calls.length = 0;
    answer = stranger;
    await expect(remove()).rejects.toBe(stranger);
    expectUnchanged();
  });

  test("while a machine with another machine-id answers and its kubelet runs elsewhere", async () => {
    answer = OTHER;
    const message = await remove().catch((error: Error) => error.message);
    for (const part of [
      "checking the machine of the node failed on worker-1 (10.0.0.1): its machine-id is 22222222...",
      "but the kubelet of worker-1 runs on the recorded machine 11111111...: another machine answers at this address",
      "nothing was changed; compare the address with `kubectl get node worker-1 -o wide`",
    ])
      expect(message).toContain(part);
    expectUnchanged();
  });

  test("when the first request for the lease fails, and its kubelet runs elsewhere", async () => {
    [answer, failedReads] = [OTHER, 1];
    await expect(remove()).rejects.toThrow("the kubelet of worker-1 runs on the recorded machine");
    expectUnchanged();
  });
});

describe("a node is removed", () => {
  test("from its own machine, with one question over SSH and no watch of the lease", async () => {
    renews = false;
    await remove();
    expectRemoved();
  });

  test("when its machine was rebuilt, and its kubelet is silent", async () => {
    await goDown();
    answer = OTHER;
    await remove();
    expectRemoved();
  });

  test("when its machine was rebuilt a moment ago, so that it is still Ready", async () => {
    renews = false;
    answer = OTHER;
    await remove();
    expectRemoved();
  });

  test("when its platform has removed the machine, and another one has its address", async () => {
    [answer, removed] = [stranger, true];
    await remove();
    expectRemoved();
  });

  test("when this run replaces its machine", async () => {
    answer = stranger;
    await remove({}, { rebuilt: [INSTANCE] });
    expectRemoved();
  });

  test.each([
    ["cannot be reached", silent],
    ["cannot be identified", new StepError({ step: "reading the machine-id", cause: "sudo rejects the password" })],
  ])("when its machine %s", async (_, error) => {
    answer = error;
    await remove();
    expectRemoved();
  });

  test.each<[string, Partial<DrainSettings>, Partial<ProviderSettings>]>([
    ["force", { force: true }, {}],
    ["onUnreachable: force", { onUnreachable: "force" }, {}],
    ["a fencing command", { fence: "true" }, {}],
    ["recovery.abandoned", {}, { abandoned: ["worker-1"] }],
  ])("by %s, when its kubelet is silent and another machine has its address", async (_, drain, settings) => {
    await goDown();
    answer = stranger;
    await remove(drain, settings);
    expectRemoved();
  });
});
