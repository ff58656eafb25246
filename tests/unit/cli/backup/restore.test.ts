import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { endInterrupted, restoreControlPlanes, type RestoreContext } from "../../../../cli/backup/restore";
import { EtcdCluster, type EtcdMachine } from "../../../support/etcd-machine";
import { proofApi } from "../../../support/proof-api";
import { CLUSTER, fakeSession, fakeStack } from "../fake-stack";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"));

const ALL = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
const PREVIOUS = ["previous", "previous", "previous"];
const RESTORED = ["restored", "restored", "restored"];
const PHASE = "/var/lib/kubewright/backup/restore-phase";
const DATA = "/var/lib/etcd";

let folder: string;
let cluster: EtcdCluster;
let first: EtcdMachine;
let second: EtcdMachine;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  folder = mkdtempSync(join(tmpdir(), "kubewright-restore-"));
  writeFileSync(join(folder, "etcd.db"), "snapshot");
  cluster = new EtcdCluster("cp-1", "cp-2", "cp-3");
  [first, second] = cluster.machines as [EtcdMachine, EtcdMachine];
});
afterEach(() => {
  cluster.remove();
  rmSync(folder, { recursive: true });
  vi.useRealTimers();
});

/** A command whose API servers are ready with the data that `isReady` accepts. */
function command(
  isReady: (data: string, machine: EtcdMachine) => boolean = () => true,
  answers: Parameters<typeof proofApi>[0] = {},
) {
  const abort = new AbortController();
  const session = fakeSession(() => Promise.resolve(proofApi(answers).api));
  const readText = async ({ name }: { name: string }) => {
    const machine = cluster.machines.find((one) => one.name === name) as EtcdMachine;
    if (machine.manifests.includes("kube-apiserver") && isReady(machine.data, machine)) return "ok";
    throw new Error("HTTP 500");
  };
  const provider = { ...session.provider, kube: { ...session.provider.kube, readText } };
  const stack = fakeStack(CLUSTER);
  const context = { stack, session: { ...session, provider, signal: abort.signal } } as unknown as RestoreContext;
  const text = () => session.lines.join("\n");
  return { restore: () => restoreControlPlanes(context, cluster.remotes, folder), context, abort, text };
}

function expectRunning(data: readonly string[]): void {
  expect(cluster.data).toEqual(data);
  for (const machine of cluster.machines) {
    expect(machine.manifests).toEqual(ALL);
    expect(machine.leftovers).toEqual([]);
    expect(machine.heldManifests).toEqual([]);
    expect(machine.list("/var/lib/kubewright/backup")).not.toContain("restore-phase");
  }
}

test("all members have the restored data, and a snapshot of the previous state is named by its time", async () => {
  const { restore, text } = command();
  await restore();
  expectRunning(RESTORED);
  expect(text()).toMatch(/cp-1 .*before the restore is .*etcd-snapshots\/before-restore-\d{4}-\d\d-\d\dT[\d-]+\.db/);
});

test("without a snapshot of the previous state its data is kept, and the command says why", async () => {
  for (const machine of cluster.machines)
    machine.inject = (script) => (script.includes("snapshot save") ? new Error("no space left") : undefined);
  const { restore, text } = command();
  await restore();
  expect(cluster.data).toEqual(RESTORED);
  expect(first.leftovers).toEqual([expect.stringMatching(/^member.before-restore-\d+$/)]);
  expect(text()).toContain("no snapshot of the present state: no space left");
});

test("a damaged snapshot is found before anything stops, and leaves nothing on etcd's disk", async () => {
  second.program("/var/lib/kubewright/backup/etcdutl", "echo 'expected sha256' >&2; exit 1");
  await expect(command().restore()).rejects.toThrow("cp-2 (10.0.0.2): expected sha256; nothing was changed");
  expectRunning(PREVIOUS);
  expect(first.scripts.some((script) => script.includes("mv -fT /etc/kubernetes"))).toBe(false);
});

test("API servers that do not become ready: the previous state is put back on all control planes", async () => {
  const { restore } = command((data) => data === "previous");
  await expect(restore()).rejects.toThrow(/not ready after 180 s: HTTP 500.*; the previous state was put back/);
  expectRunning(PREVIOUS);
});

test("controllers that do not work: the previous state is put back", async () => {
  const { restore } = command(undefined, { readNamespacedPod: () => ({ status: {} }) });
  await expect(restore()).rejects.toThrow("the scheduler does not decide on a pod within 120 s");
  expectRunning(PREVIOUS);
});

test("Ctrl-C while the controllers are proved: the previous state is put back, and this is reported", async () => {
  const one = command(undefined, { createNamespacedPod: () => one.abort.abort(new Error("stopped by the user")) });
  await expect(one.restore()).rejects.toThrow("stopped by the user; the previous state was put back");
  expectRunning(PREVIOUS);
  expect(one.text()).toContain("stopped by the user; putting the previous state back\nthe previous state was put back");
});

test("a control plane that does not stop: the others return immediately, no data was replaced", async () => {
  second.stops = false;
  await expect(command().restore()).rejects.toThrow("did not stop within 180 s");
  expectRunning(PREVIOUS);
  expect(first.scripts.some((script) => script.includes("mv -T /var/lib/etcd/member /var"))).toBe(false);
});

test("the previous state may have had a member and an API server that did not work", async () => {
  second.data = "broken";
  const { restore } = command((data, machine) => data === "previous" && machine !== second);
  await expect(restore()).rejects.toThrow("the previous state was put back, and the API server is ready");
  expectRunning(["previous", "broken", "previous"]);
});

/** Leaves what a command leaves that is killed while it waits for the API servers. */
async function killWhileWaiting(): Promise<void> {
  const { restore } = command(() => {
    for (const machine of cluster.machines) machine.inject = () => new Error("killed");
    return false;
  });
  await expect(restore()).rejects.toThrow("could not be put back: killed");
  for (const machine of cluster.machines) machine.inject = () => undefined;
  expect(cluster.data).toEqual(RESTORED);
  expect(first.manifests).toEqual(ALL);
}

test("a command that was killed before the proof: the next one puts the previous state back", async () => {
  await killWhileWaiting();
  const { context, text } = command();
  await endInterrupted(context, cluster.remotes);
  expectRunning(PREVIOUS);
  expect(text()).toContain("an earlier restore was interrupted: putting the previous state back first");
});

test("a command that was killed after the proof: the restored state stays on all members", async () => {
  await killWhileWaiting();
  second.write(PHASE, "proved\n");
  rmSync(first.path(`${DATA}/member.before-restore`), { recursive: true });
  const { context } = command();
  await endInterrupted(context, cluster.remotes);
  expect(cluster.data).toEqual(RESTORED);
  expect(second.leftovers).toEqual([expect.stringMatching(/^member.before-restore-\d+$/)]);
  expect(first.list("/var/lib/kubewright/backup")).not.toContain("restore-phase");
});

test("previous data that does not work does not prevent another restore", async () => {
  await killWhileWaiting();
  for (const machine of cluster.machines) machine.write(`${DATA}/member.before-restore/data`, "broken");
  const { context, restore, text } = command();
  await endInterrupted(context, cluster.remotes);
  expect(cluster.data).toEqual(["broken", "broken", "broken"]);
  expect(first.manifests).toEqual(ALL);
  expect(text()).toContain("it can be replaced by the backup");
  await restore();
  expect(cluster.data).toEqual(RESTORED);
});

test("previous data that cannot be put back prevents another restore", async () => {
  await killWhileWaiting();
  second.write("/proc/1/cmdline", "etcd\0--data-dir=/var/lib/etcd\0");
  const { context } = command();
  await expect(endInterrupted(context, cluster.remotes)).rejects.toThrow("etcd still runs");
});

test("without an interrupted restore nothing happens", async () => {
  await endInterrupted(command().context, cluster.remotes);
  expectRunning(PREVIOUS);
  expect(first.scripts).toHaveLength(1);
});
