import { beforeEach, describe, expect, test, vi } from "vitest";
import { orAborted } from "../../../../common/wait";
import { setSchedulable } from "../../../../provider/kube/cordon";
import { checkMachineGone, evacuateDeadNode } from "../../../../provider/kube/dead-node";
import { drain } from "../../../../provider/kube/drain";
import type { DrainOptions } from "../../../../provider/kube/drain-options";
import { ConnectionError, HostKeyError } from "../../../../provider/ssh/errors";
import { type FakeCluster, fakeCluster } from "../../../support/fake-cluster";
import { settle, useFakeTime } from "../../../support/fake-time";
import type { MemoryApi } from "../../../support/memory-api";
import { ScriptedMachine } from "../../../support/scripted-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const signal = new AbortController().signal;
const HOST = { host: "10.0.0.1", port: 22, user: "root", name: "worker-1" };
const OUT_OF_SERVICE = {
  key: "node.kubernetes.io/out-of-service",
  value: "nodeshutdown",
  effect: "NoExecute",
};

describe("a machine with a silent kubelet", () => {
  const check = (answer: string | Error) => {
    const machine = new ScriptedMachine(() => ({}), "worker-1") as ScriptedMachine & { machineId?: unknown };
    machine.machineId = () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer));
    return checkMachineGone(machine.remote, "id-1", { signal, deadline: Date.now() + 60_000 });
  };

  test("that answers SSH is not gone", async () => {
    expect(await check("id-1")).toEqual({ gone: false, reason: "worker-1 answers SSH" });
  });

  test("that was rebuilt is gone: another machine answers over a verified connection", async () => {
    expect(await check("id-2")).toEqual({ gone: true, reason: "worker-1 was rebuilt: its machine-id has changed" });
  });

  test("that does not answer SSH either is not gone: its containers may still run", async () => {
    const { gone, reason } = await check(new ConnectionError(HOST, "connect ETIMEDOUT", "transient"));
    expect(gone).toBe(false);
    expect(reason).toMatch(/does not answer SSH, which does not prove that it is off.*ETIMEDOUT/);
  });

  test("that does not answer before the drain's deadline is not gone, and the check does not last longer", async () => {
    const machine = new ScriptedMachine(() => ({}), "worker-1") as ScriptedMachine & { machineId?: unknown };
    machine.machineId = (limit: AbortSignal) => orAborted(new Promise(() => undefined), limit);
    let state: unknown;
    const check = checkMachineGone(machine.remote, "id-1", { signal, deadline: Date.now() + 10_000 });
    const done = check.then((answer) => (state = answer));
    await vi.advanceTimersByTimeAsync(9_900);
    expect(state).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    await done;
    expect(state).toEqual({
      gone: false,
      reason: "worker-1 does not answer SSH, which does not prove that it is off (no answer in 10 s)",
    });
  });

  test("that shows another host key is not gone: that key proves nothing", async () => {
    const { gone } = await check(new HostKeyError({ ...HOST, hostKey: "AAAA" }, "BBBB"));
    expect(gone).toBe(false);
  });
});

describe("a dead node", () => {
  let memory: MemoryApi;
  let cluster: FakeCluster;

  beforeEach(async () => {
    ({ memory, cluster } = await fakeCluster("a", "b"));
    await cluster.setReady("a", false);
    cluster.silent.add("a");
    await cluster.pod("web-1", { node: "a", owner: { kind: "ReplicaSet", uid: "web" } });
    await cluster.pod("agent", { node: "a", owner: { kind: "DaemonSet", uid: "agent" } });
    await cluster.pod("static", { node: "a", mirror: true });
    await cluster.attach("pv-1", "a");
    await cluster.attach("pv-2", "b");
    cluster.run();
  });

  const drainNode = (options: Partial<DrainOptions> = {}) =>
    settle(drain(memory.api, { node: "a", timeout: 60, signal, status: () => undefined, ...options }));
  const taints = async () => (await memory.api.core.readNode({ name: "a" })).spec?.taints;

  test("gets the out-of-service taint, by which the controller manager deletes its pods and volumes", async () => {
    const begun = Date.now();
    const { forced } = await drainNode({ isGone: async () => ({ gone: true, reason: "it was deleted" }) });
    // Pods of DaemonSets are not waited for.
    expect(Date.now() - begun).toBeLessThan(60_000);
    expect(forced).toEqual({ pods: ["default/web-1", "default/agent"], volumes: ["attach-pv-1"] });
    expect(await taints()).toEqual([OUT_OF_SERVICE]);
    expect(await cluster.pods("a")).toEqual([]);
    expect([...memory.attachments.keys()]).toEqual(["attach-pv-2"]);
  });

  test("keeps its other taints", async () => {
    const maintenance = { key: "maintenance", effect: "NoExecute" };
    await memory.api.core.patchNode({ name: "a", body: { spec: { taints: [maintenance] } } });
    await settle(evacuateDeadNode(memory.api, "a", signal, () => undefined));
    expect(await taints()).toEqual([maintenance, OUT_OF_SERVICE]);
  });

  test("without a controller manager is cleared by us, after a while", async () => {
    cluster.hasControllerManager = false;
    const begun = Date.now();
    const { forced } = await drainNode({ force: true });
    expect(forced?.pods).toHaveLength(2);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(60_000);
    expect(await cluster.pods("a")).toEqual(["static"]);
    expect([...memory.attachments.keys()]).toEqual(["attach-pv-2"]);
  });

  test("whose machine may still run keeps its pods; the drain ends and says what to do", async () => {
    const isGone = async () => ({ gone: false, reason: "worker-1 does not answer SSH" });
    await expect(drainNode({ isGone })).rejects.toThrow(
      /the kubelet does not respond; worker-1 does not answer SSH.*power the machine off.*--force/,
    );
    expect(await taints()).toEqual([]);
    expect(await cluster.pods("a")).toContain("web-1");
    expect(memory.attachments.size).toBe(2);
    expect(await cluster.isCordoned("a")).toBe(false);
  });

  test("is not asked about with onUnreachable: fail", async () => {
    const isGone = vi.fn(async () => ({ gone: true, reason: "" }));
    await expect(drainNode({ isGone, onUnreachable: "fail" })).rejects.toThrow("the kubelet does not respond");
    expect(isGone).not.toHaveBeenCalled();
  });

  test("is cleared without proof with onUnreachable: force", async () => {
    expect((await drainNode({ onUnreachable: "force" })).forced?.pods).toHaveLength(2);
  });

  test("that comes back loses the taint when it is uncordoned", async () => {
    await drainNode({ force: true });
    await setSchedulable(memory.api, "a", true, signal);
    expect(await taints()).toEqual([]);
    expect(await cluster.isCordoned("a")).toBe(false);
  });
});
