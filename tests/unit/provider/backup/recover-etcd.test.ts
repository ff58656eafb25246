import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  endRecovery,
  hasEtcdData,
  isRecovering,
  recoverEtcd,
  startRecovered,
  undoRecovery,
} from "../../../../provider/backup/recover-etcd";
import { readMember, type RestoredMember } from "../../../../provider/backup/restored-member";
import type { Remote } from "../../../../provider/ssh/remote";
import { EtcdCluster, type EtcdMachine } from "../../../support/etcd-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"));

const { signal } = new AbortController();
const ALL = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
const MANIFEST = "/etc/kubernetes/manifests/etcd.yaml";

let cluster: EtcdCluster;
let last: EtcdMachine;
let remote: Remote;
let member: RestoredMember;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  cluster = new EtcdCluster("cp-1", "cp-2", "cp-3");
  cluster.needsMajority = true;
  for (const lost of cluster.machines.slice(0, 2)) lost.data = "broken";
  last = cluster.machines[2] as EtcdMachine;
  remote = last as unknown as Remote;
  member = await readMember(remote, signal);
});
afterEach(() => {
  cluster.remove();
  vi.useRealTimers();
});

const manifest = async () => (await last.run(`cat ${MANIFEST}`, { step: "s", signal })).stdout;

test("the member that is left becomes the only one, and starts without the flag in the end", async () => {
  await recoverEtcd(member, signal);
  expect(last.isAlone).toBe(true);
  expect(last.manifests).toEqual(["etcd"]);
  expect(await manifest()).not.toContain("force-new-cluster");
  expect(await isRecovering(remote, signal)).toBe(true);
  await startRecovered(member);
  expect(last.manifests).toEqual(ALL);
  expect(await endRecovery(member)).toMatch(/\/var\/lib\/etcd\/member\.before-recovery-\d+$/);
  expect(await isRecovering(remote, signal)).toBe(false);
  expect(last.data).toBe("previous");
});

test("a recovery that was killed is repeated, and keeps the copy of the first one", async () => {
  last.inject = (script) => (script.startsWith("sed -i") ? new Error("killed") : undefined);
  await expect(recoverEtcd(member, signal)).rejects.toThrow("killed");
  last.inject = () => undefined;
  last.data = "previous and new";
  expect(await isRecovering(remote, signal)).toBe(true);
  await recoverEtcd(member, signal);
  expect(await manifest()).not.toContain("force-new-cluster");
  await undoRecovery(member, signal);
  expect(last.data).toBe("previous");
});

test("the previous data and manifest are put back where etcd does not start", async () => {
  const before = await manifest();
  last.inject = (script) => (script.includes("cp -a") ? void (last.data = "broken") : undefined);
  await expect(recoverEtcd(member, signal)).rejects.toThrow("0 of 1 members are healthy");
  last.inject = () => undefined;
  last.write("/var/lib/etcd/member.before-recovery/data", "previous");
  await undoRecovery(member, signal);
  expect(last.data).toBe("previous");
  expect(last.manifests).toEqual(ALL);
  expect(await manifest()).toBe(before);
  expect(last.leftovers).toEqual([]);
});

test("a copy that fails is no copy, and the data stays", async () => {
  last.program("/bin/cp", "echo 'no space left' >&2; exit 1");
  await expect(recoverEtcd(member, signal)).rejects.toThrow("no space left");
  expect(await isRecovering(remote, signal)).toBe(false);
  await undoRecovery(member, signal);
  expect(last.data).toBe("previous");
  expect(last.manifests).toEqual(ALL);
});

test("a manifest without etcd's command is an error, not a start without the flag", async () => {
  last.write(MANIFEST, "spec:\n    - --name=cp-3\n");
  await expect(recoverEtcd(member, signal)).rejects.toThrow("the manifest of etcd has no command");
});

test("a machine has data, has none, or does not answer", async () => {
  expect(await hasEtcdData(remote, signal)).toBe(true);
  await last.run("rm -rf /var/lib/etcd/member", { step: "s", signal });
  expect(await hasEtcdData(remote, signal)).toBe(false);
  last.inject = () => new Error("timed out");
  expect(await hasEtcdData(remote, signal)).toBeUndefined();
});
