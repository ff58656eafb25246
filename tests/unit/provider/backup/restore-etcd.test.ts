import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  hasPreviousData,
  keepPreviousData,
  prepareData,
  startComponents,
  startEtcd,
  stopControlPlanes,
  usePreviousData,
  useRestoredData,
} from "../../../../provider/backup/restore-etcd";
import { clearPhase, readPhase, recordPhase } from "../../../../provider/backup/restore-phase";
import { readMember, type RestoredMember } from "../../../../provider/backup/restored-member";
import { EtcdCluster, type EtcdMachine } from "../../../support/etcd-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"));

const { signal } = new AbortController();
const STOPPED = AbortSignal.abort(new Error("stopped by the user"));
const ALL = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

let cluster: EtcdCluster;
let members: RestoredMember[];
let first: EtcdMachine;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  cluster = new EtcdCluster("cp-1", "cp-2", "cp-3");
  members = await Promise.all(cluster.remotes.map((machine) => readMember(machine, signal)));
  first = cluster.machines[0] as EtcdMachine;
});
afterEach(() => {
  cluster.remove();
  vi.useRealTimers();
});

const prepare = () =>
  Promise.all(members.map((member) => prepareData(member, { snapshot: "/s.db", members, token: "t" }, signal)));

test("the restored data replaces the previous data, which stays beside it until it is put back", async () => {
  await prepare();
  expect(cluster.data).toEqual(["previous", "previous", "previous"]);
  await stopControlPlanes(members, signal);
  expect(first.manifests).toEqual([]);
  expect(await hasPreviousData(members)).toBe(false);
  await useRestoredData(members);
  expect(cluster.data).toEqual(["restored", "restored", "restored"]);
  expect(first.leftovers).toEqual(["member.before-restore"]);
  expect(await hasPreviousData(members)).toBe(true);
  await usePreviousData(members);
  await usePreviousData(members); // again, as after a lost connection
  expect(cluster.data).toEqual(["previous", "previous", "previous"]);
  expect(first.leftovers).toEqual([]);
  await startEtcd(members, 3, signal);
  await startComponents(members);
  expect(first.manifests).toEqual(ALL);
  expect(first.heldManifests).toEqual([]);
});

test("replacing the data twice does not lose the previous data", async () => {
  await prepare();
  await stopControlPlanes(members, signal);
  await useRestoredData(members);
  await useRestoredData(members);
  await usePreviousData(members);
  expect(cluster.data).toEqual(["previous", "previous", "previous"]);
});

test("all members are of the new cluster, and its revisions are raised", async () => {
  await prepare();
  const script = first.scripts.find((one) => one.includes("snapshot restore"));
  expect(script).toContain("--bump-revision 1000000000 --mark-compacted --name cp-1 ");
  expect(script).toContain("cp-1=https://10.0.0.1:2380,cp-2=https://10.0.0.2:2380,cp-3=https://10.0.0.3:2380 ");
});

test("a kubelet that does not run is found before anything stops", async () => {
  first.program("/bin/systemctl", "exit 3");
  await expect(prepare()).rejects.toThrow("the kubelet does not run: start it; nothing was changed in the cluster");
  expect(first.leftovers).toEqual([]);
});

test("the previous data of another restore is never deleted", async () => {
  await prepare();
  await stopControlPlanes(members, signal);
  await useRestoredData(members);
  await prepare();
  expect(first.leftovers).toEqual(["kubewright-restored", expect.stringMatching(/^member.before-restore-\d+$/)]);
});

test("the previous data is kept under a name of its own", async () => {
  await prepare();
  await stopControlPlanes(members, signal);
  await useRestoredData(members);
  await keepPreviousData(members);
  expect(first.leftovers).toEqual([expect.stringMatching(/^member.before-restore-\d+$/)]);
  expect(await hasPreviousData(members)).toBe(false);
});

test("the data is not replaced while an etcd uses it, even where no container is reported", async () => {
  await prepare();
  first.write("/proc/1/cmdline", "etcd\0--data-dir=/var/lib/etcd\0--name=cp-1\0");
  await expect(useRestoredData(members)).rejects.toThrow("replacing etcd's data failed on cp-1 (10.0.0.1): etcd still");
  expect(first.data).toBe("previous");
  first.write("/proc/1/cmdline", "etcd\0--data-dir=/var/lib/etcd/other\0");
  await useRestoredData(members);
  expect(first.data).toBe("restored");
});

test("restored data that does not exist is an error, not a success", async () => {
  await expect(useRestoredData(members)).rejects.toThrow("the restored data does not exist");
  expect(cluster.data).toEqual(["previous", "previous", "previous"]);
});

test("a member that had no data has none after it is put back", async () => {
  await first.run("rm -rf /var/lib/etcd/member", { step: "s", signal });
  await prepare();
  await useRestoredData(members);
  expect(first.data).toBe("restored");
  await usePreviousData(members);
  expect(cluster.data).toEqual(["", "previous", "previous"]);
});

test("what does not stop is named", async () => {
  first.stops = false;
  await expect(stopControlPlanes(members, signal)).rejects.toThrow(
    "stopping the control plane failed on cp-1 (10.0.0.1): etcd, kube-apiserver, kube-controller-manager, " +
      "kube-scheduler did not stop within 180 s",
  );
});

test("Ctrl-C does not leave some control planes with moved manifests and others without", async () => {
  await expect(stopControlPlanes(members, STOPPED)).rejects.toThrow("stopped by the user");
  expect(cluster.machines.map(({ manifests }) => manifests)).toEqual([[], [], []]);
});

test("a failure on one control plane is reported when the others have ended", async () => {
  await prepare();
  first.inject = (script) => (script.includes("mv -T") ? new Error("the connection is lost") : undefined);
  await expect(useRestoredData(members)).rejects.toThrow("the connection is lost");
  expect(cluster.data).toEqual(["previous", "restored", "restored"]);
});

test("etcd is started when as many members as are needed are healthy", async () => {
  first.data = "broken";
  await expect(startEtcd(members, 3, signal)).rejects.toThrow("2 of 3 members are healthy after 180 s");
  await startEtcd(members, 2, signal);
});

test("a stopped control plane's member is read from its held manifest", async () => {
  await stopControlPlanes(members, signal);
  expect(await readMember(cluster.remotes[1] as never, signal)).toMatchObject({
    ...{ name: "cp-2", peerUrl: "https://10.0.0.2:2380" },
  });
});

test("a phase that one control plane has recorded as proved is proved", async () => {
  expect(await readPhase(cluster.remotes, signal)).toBeUndefined();
  await recordPhase(members, "replacing");
  expect(await readPhase(cluster.remotes, signal)).toBe("replacing");
  await recordPhase(members.slice(2), "proved");
  expect(await readPhase(cluster.remotes, signal)).toBe("proved");
  await clearPhase(members);
  expect(await readPhase(cluster.remotes, signal)).toBeUndefined();
});
