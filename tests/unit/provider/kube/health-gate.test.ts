import { beforeEach, expect, test } from "vitest";
import { readHealthProblems } from "../../../../provider/kube/health-gate";
import { type FakeCluster, fakeCluster } from "../../../support/fake-cluster";
import type { MemoryApi } from "../../../support/memory-api";

const CONTROL_PLANE = { host: "10.0.0.1" } as never;

let memory: MemoryApi;
let cluster: FakeCluster;
let readyz: () => Promise<string>;
beforeEach(async () => {
  ({ memory, cluster } = await fakeCluster("worker-1", "worker-2"));
  readyz = async () => "ok";
});

async function read(): Promise<string[]> {
  const context = {
    kube: { readText: async () => await readyz() },
    connections: { get: () => ({ label: "cp-1 (10.0.0.1)" }) },
    signal: new AbortController().signal,
  };
  const scope = { node: "worker-1", controlPlanes: [CONTROL_PLANE] };
  return (await readHealthProblems(context as never, memory.api, scope)).map(({ detail }) => detail);
}

async function crash(name: string, node: string): Promise<void> {
  await cluster.pod(name, { node, owner: { kind: "ReplicaSet", uid: name } });
  const state = { waiting: { reason: "CrashLoopBackOff" } };
  const container = { name: "app", state, lastState: { terminated: { reason: "OOMKilled", exitCode: 137 } } };
  const body = { status: { containerStatuses: [container] } };
  await memory.api.core.patchNamespacedPodStatus({ namespace: "default", name, body });
}

test("a cluster whose nodes are Ready and whose API servers are ready has no problem", async () => {
  expect(await read()).toEqual([]);
});

test("an API server that is not ready, and a node that is not Ready, are named", async () => {
  readyz = () => Promise.reject(new Error("HTTP 500"));
  await cluster.setReady("worker-2", false);
  expect(await read()).toEqual([
    "the API server of cp-1 (10.0.0.1) is not ready: HTTP 500",
    expect.stringMatching(/^node worker-2 is not Ready: /),
  ]);
});

test("a container that crashes counts on the node itself, and elsewhere only as part of the system", async () => {
  await crash("web", "worker-1");
  await crash("other", "worker-2");
  expect(await read()).toEqual(["container app of pod default/web on worker-1 crashes: OOMKilled"]);
});
