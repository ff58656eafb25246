import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Connection } from "../../../contracts/connection";
import { DRAIN_DEFAULTS } from "../../../contracts/drain";
import { nodeResource } from "../../../provider/resources/node";
import { fingerprint } from "../../../provider/ssh/host-key";
import type { Context } from "../../../provider/rpc/handler";
import { testContext } from "../../support/context";
import { FakeCluster } from "../../support/fake-cluster";
import { MemoryApi } from "../../support/memory-api";
import { startSshd, type Sshd } from "../../support/sshd";

/** A node whose machine is behind a real sshd, in a cluster in memory. */
const instance = readFileSync("/etc/machine-id", "utf8").trim();
let sshd: Sshd;
let memory: MemoryApi;
let context: Context;

beforeAll(async () => {
  sshd = await startSshd({ name: "worker-1" });
}, 60_000);
afterEach(() => context.connections.closeAll());
afterAll(() => sshd.stop());

async function startNode(machineID: string): Promise<void> {
  memory = new MemoryApi();
  const cluster = new FakeCluster(memory.api);
  await cluster.node("worker-1");
  await memory.api.core.patchNodeStatus({ name: "worker-1", body: { status: { nodeInfo: { machineID } } } });
  memory.calls.length = 0;
  let renewals = 0;
  const objects = { read: async () => ({ spec: { renewTime: ++renewals } }) };
  context = testContext({ isMachineRemoved: async () => false });
  context.kube.api = async () => Object.assign(memory.api, { objects });
}

async function remove(connection: Connection, recorded: string): Promise<void> {
  const inputs = {
    ...{ controlPlanes: [connection], node: "worker-1", instance: recorded, membership: "join", connection },
    ...{ labels: {}, annotations: {}, taints: [], schedulable: true, readyTimeout: 30 },
    ...{ drain: DRAIN_DEFAULTS, pool: "workers", maxUnavailable: 1 },
  };
  await nodeResource.delete!(context, "worker-1", { inputs, outputs: { kubeletVersion: "" } });
}

function expectUnchanged(): void {
  expect([...memory.nodes.keys()]).toEqual(["worker-1"]);
  expect(memory.calls.filter((call) => !call.startsWith("read"))).toEqual([]);
}

test("a node is removed while its own machine answers", async () => {
  await startNode(instance);
  await remove(sshd.connection(), instance);
  expect([...memory.nodes.keys()]).toEqual([]);
});

test("a node stays, and is not cordoned, while a machine with another machine-id answers", async () => {
  await startNode("0123456789abcdef");
  await expect(remove(sshd.connection(), "0123456789abcdef")).rejects.toThrow(
    new RegExp(`machine-id is ${instance.slice(0, 8)}\\.\\.\\., .* the recorded machine 01234567\\.\\.\\.`),
  );
  expectUnchanged();
});

test("a node stays, and is not cordoned, while a machine with another host key answers", async () => {
  await startNode(instance);
  const pinned = sshd.connection();
  await sshd.changeHostKey();
  const message = await remove(pinned, instance).catch((error: Error) => error.message);
  for (const text of ["worker-1", fingerprint(pinned.hostKey), fingerprint(sshd.hostKey), "recovery.acceptHostKeys"])
    expect(message).toContain(text);
  expectUnchanged();
});
