import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { planRecovery, recover, recoveryText } from "../../../../cli/nodes/recover";
import type { Session } from "../../../../cli/engine/session";
import { EtcdCluster, type EtcdMachine } from "../../../support/etcd-machine";
import { proofApi } from "../../../support/proof-api";
import { fakeSession, fakeStack } from "../fake-stack";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"));

const ALL = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

let cluster: EtcdCluster;
let first: EtcdMachine;
let last: EtcdMachine;
let abort: AbortController;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  cluster = new EtcdCluster("cp-1", "cp-2", "cp-3");
  cluster.needsMajority = true;
  [first, , last] = cluster.machines as [EtcdMachine, EtcdMachine, EtcdMachine];
  abort = new AbortController();
});
afterEach(() => {
  cluster.remove();
  vi.useRealTimers();
});

/** Makes machines that do not answer any more. */
function lose(...lost: EtcdMachine[]): void {
  for (const machine of lost) {
    machine.data = "broken";
    machine.inject = () => new Error("connect ETIMEDOUT");
  }
}

function command(isReady = true, names = ["cp-1", "cp-2", "cp-3"]) {
  const controlPlanes = names.map((name, index) => ({ name, host: `10.0.0.${index + 1}` }));
  const stack = fakeStack([{ type: "kubewright:kube:Node", name: "cp-1-node", inputs: { controlPlanes } }]);
  const { provider, ...session } = fakeSession(() => Promise.resolve(proofApi().api));
  const get = ({ name }: { name: string }) => cluster.machines.find((machine) => machine.name === name);
  const readText = () => (isReady ? Promise.resolve("ok") : Promise.reject(new Error("HTTP 500")));
  const parts = { connections: { ...provider.connections, get }, kube: { ...provider.kube, readText } };
  const all = { ...session, provider: { ...provider, ...parts }, signal: abort.signal } as unknown as Session;
  return { session: all, text: () => session.lines.join("\n"), plan: (name: string) => planRecovery(stack, all, name) };
}

describe("a plan", () => {
  test("names the members that are removed, and warns of their previous data", async () => {
    lose(...cluster.machines.slice(0, 2));
    const plan = await command().plan("cp-3");
    expect(plan).toMatchObject({ lost: ["cp-1", "cp-2"], isResumed: false });
    expect(recoveryText(plan)).toMatch(
      /Recover etcd on cp-3[^]*removed: cp-1, cp-2. Writes that only they had are LOST/,
    );
    expect(recoveryText(plan)).toContain("Do not start cp-1 and cp-2 again with the previous data");
  });

  test("is refused while etcd has a majority", async () => {
    lose(first);
    await expect(command().plan("cp-3")).rejects.toThrow(/cp-3: etcd has a majority.*npm start -- --refresh/);
  });

  test("is refused while another control plane has data that may be newer", async () => {
    lose(first);
    (cluster.machines[1] as EtcdMachine).data = "broken";
    await expect(command().plan("cp-3")).rejects.toThrow(
      /cp-2 can be reached, and has data of etcd.*systemctl start kubelet.*kubeadm reset --force` on cp-2/,
    );
  });

  test("is refused for a single control plane, and for a worker", async () => {
    await expect(command(true, ["cp-1"]).plan("cp-1")).rejects.toThrow(/cp-1: it is the only control plane/);
    await expect(command().plan("worker-1")).rejects.toThrow(/it is no control plane; use one of cp-1, cp-2, cp-3/);
  });
});

test("etcd is recovered, and proved; a killed recovery is continued although etcd answers", async () => {
  lose(...cluster.machines.slice(0, 2));
  const { plan, session } = command();
  const recovery = await plan("cp-3");
  expect(await recover(session, recovery)).toMatch(/member\.before-recovery-\d+$/);
  expect([last.isAlone, last.data, last.manifests]).toEqual([true, "previous", ALL]);
  await last.run("mkdir /var/lib/etcd/member.before-recovery", { step: "s", signal: abort.signal });
  expect(recoveryText(await plan("cp-3"))).toContain("Continue the recovery of etcd on cp-3");
});

test("an API server that does not become ready: the data is put back", async () => {
  lose(...cluster.machines.slice(0, 2));
  const { plan, session } = command(false);
  const recovery = await plan("cp-3");
  await expect(recover(session, recovery)).rejects.toThrow(
    /not ready after 180 s: HTTP 500.*; etcd's data was put back, without a majority as before; repair/,
  );
  expect([last.data, last.manifests, last.leftovers]).toEqual(["previous", ALL, []]);
});

test("Ctrl-C: the data is put back, and this is reported", async () => {
  lose(...cluster.machines.slice(0, 2));
  const { plan, session, text } = command();
  const recovery = await plan("cp-3");
  last.inject = (script) => (script.includes("cp -a") ? void abort.abort(new Error("stopped")) : undefined);
  await expect(recover(session, recovery)).rejects.toThrow("stopped");
  expect(text()).toContain("etcd's data was put back");
  expect([last.data, last.manifests, last.leftovers]).toEqual(["previous", ALL, []]);
});
