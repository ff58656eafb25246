import { describe, expect, test } from "vitest";
import { clusterApi } from "../../../../cli/engine/cluster-api";
import {
  controlPlanes,
  machineConnection,
  machineState,
  reasonToKeep,
  recordedMachine,
  undoneInstances,
} from "../../../../cli/engine/state";
import { connectionTo } from "../../../support/connection";
import { CLUSTER, fakeApi, fakeSession, fakeStack, urnOf } from "../fake-stack";

test("the resources of a machine are its creator and everything on it", async () => {
  const state = await machineState(fakeStack(CLUSTER), "worker-1");
  expect(state).toEqual({
    machine: urnOf("kubewright:docker:Machine", "worker-1"),
    contents: [urnOf("kubewright:kubeadm:Join", "worker-1-join")],
  });
});

describe("a control plane is kept", () => {
  const init = (names: string[], endpoint: string) => ({
    type: "kubewright:kubeadm:Init",
    name: "dev-init",
    inputs: {
      connection: { name: "control-plane-1", host: "10.0.0.10" },
      controlPlanes: names,
      documents: [
        { kind: "InitConfiguration", localAPIEndpoint: { advertiseAddress: "10.0.0.10" } },
        { kind: "ClusterConfiguration", controlPlaneEndpoint: endpoint },
      ],
    },
  });
  const join = (name: string) => ({ type: "kubewright:kubeadm:Join", name: `${name}-join` });
  const names = ["control-plane-1", "control-plane-2", "control-plane-3"];
  const keep = (name: string, endpoint = "api.dev.internal:7443", all = names) =>
    reasonToKeep(fakeStack([init(all, endpoint), ...all.map(join), join("worker-1")]), name);

  test("while it is the only one", async () => {
    expect(await reasonToKeep(fakeStack(CLUSTER), "control-plane-1")).toMatch(/the only control plane/);
    expect(await keep("control-plane-1", undefined, ["control-plane-1"])).toMatch(/the only control plane/);
    expect(await reasonToKeep(fakeStack(CLUSTER), "worker-1")).toBeUndefined();
  });

  test("while its address is the endpoint of all nodes", async () => {
    expect(await keep("control-plane-1", "10.0.0.10:6443")).toMatch(/the cluster's endpoint/);
    expect(await keep("control-plane-2", "10.0.0.10:6443")).toBeUndefined();
  });

  test("in no other case", async () => {
    for (const name of [...names, "worker-1"]) expect(await keep(name)).toBeUndefined();
  });
});

test("an unknown node is refused with the names of all nodes", async () => {
  await expect(machineState(fakeStack(CLUSTER), "worker-9")).rejects.toThrow(
    'stack "dev" has no node named worker-9; use one of control-plane-1, worker-1',
  );
});

test("the connection of a machine has its pinned host key", async () => {
  expect(await machineConnection(fakeStack(CLUSTER), "worker-1")).toEqual({
    name: "worker-1",
    host: "10.0.0.11",
    port: 22,
    user: "root",
    hostKey: "ssh-ed25519 AAAA",
  });
  expect((await recordedMachine(fakeStack(CLUSTER), "worker-1")).instance).toBe("id-of-worker-1");
});

test("a machine without a recorded connection is refused", async () => {
  await expect(recordedMachine(fakeStack(), "worker-1")).rejects.toThrow(/no connection to worker-1; run `npm start`/);
});

test("keys of the control planes are read although they are secrets of the state", async () => {
  const secret = (plaintext: unknown) => ({
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    plaintext: JSON.stringify(plaintext),
  });
  const inputs = { controlPlanes: [{ name: "a", host: "10.0.0.1", privateKey: secret("KEY") }] };
  const plain = { type: "kubewright:kube:Node", name: "a-node", inputs };
  const whole = { ...plain, inputs: { controlPlanes: secret(inputs.controlPlanes) } };
  for (const node of [plain, whole])
    expect(await controlPlanes(fakeStack([node]))).toEqual([
      connectionTo({ name: "a", host: "10.0.0.1", privateKey: "KEY" }),
    ]);
});

test("machines that an interrupted run cleaned in order to replace them are named by machine-id", async () => {
  const host = { ...CLUSTER[3], pendingReplacement: true } as (typeof CLUSTER)[number];
  expect(await undoneInstances(fakeStack([host]))).toEqual(["id-of-worker-1"]);
  expect(await undoneInstances(fakeStack(CLUSTER))).toEqual([]);
});

test("the API is reached through the control planes of the state", async () => {
  const api = fakeApi();
  const session = fakeSession(async () => api);
  expect(await clusterApi(fakeStack(CLUSTER), session)).toBe(api);
  expect(session.asked).toEqual([[connectionTo({ name: "control-plane-1", host: "10.0.0.10" })]]);
  await expect(clusterApi(fakeStack(), session)).rejects.toThrow(
    'stack "dev" has no cluster; create one with `npm start`',
  );
});

test("the state of a newer Kubewright is refused", async () => {
  const provider = { type: "pulumi:providers:kubewright", name: "default", inputs: { stateVersion: "99" } };
  await expect(machineState(fakeStack([...CLUSTER, provider]), "worker-1")).rejects.toThrow(
    "a newer version of Kubewright wrote the state of this stack (state version 99)",
  );
});
