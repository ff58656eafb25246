import { expect, test } from "vitest";
import { describeEtcd, etcdProblems, parseReport, readEtcdReport } from "../../../../provider/kubeadm/etcd-report";
import { ScriptedMachine } from "../../../support/scripted-machine";

const MB = 1_000_000;
const line = (name: string) => `1a, started, ${name}, https://${name}:2380, https://${name}:2379, false\n`;
const status = (dbSize: number, dbSizeInUse: number) => ({ Endpoint: "e", Status: { dbSize, dbSizeInUse } });
const OUTPUT = [
  `${line("cp-1")}${line("cp-2")}${line("cp-3")}--- health ---\n`,
  "https://cp-1:2379 is healthy: ok\nhttps://cp-3:2379 is healthy: ok\nhttps://cp-2:2379 is unhealthy: x\n",
  `--- report ---\n${JSON.stringify([status(20 * MB, 10 * MB), status(24 * MB, 12 * MB)])}\n`,
  "--- report ---\nmemberID:10501334649042878790 alarm:NOSPACE \nmemberID:9 alarm:NOSPACE \n",
].join("");
const healthy = ["cp-1", "cp-2", "cp-3"].map((name) => ({ name, isHealthy: true }));
const quiet = { members: healthy, databaseSize: 24 * MB, databaseInUse: 12 * MB, alarms: [] };

test("members, the largest database and alarms are read through one control plane", async () => {
  const machine = new ScriptedMachine(() => ({ stdout: OUTPUT }));
  const report = await readEtcdReport(machine.remote, new AbortController().signal);
  expect(report).toMatchObject({ databaseSize: 24 * MB, databaseInUse: 12 * MB, alarms: ["NOSPACE"] });
  expect(describeEtcd(report!)).toBe("3 members, 2 healthy; database 24 MB, 12 MB of it in use");
  expect(etcdProblems(report!)).toEqual([
    "etcd: member cp-2 is unhealthy; no other may fail: writes would stop",
    expect.stringMatching(/^etcd: alarm NOSPACE; it accepts no writes: .*alarm disarm/),
  ]);
});

test("the oldest version of a member is that of etcd", () => {
  const of = (...versions: (string | undefined)[]) => {
    const statuses = versions.map((version) => ({ Status: { version, dbSize: 1, dbSizeInUse: 1 } }));
    return parseReport(`${line("cp-1")}--- health ---\n--- report ---\n${JSON.stringify(statuses)}\n--- report ---\n`);
  };
  expect(of("3.6.10", "3.6.8", undefined)?.version).toBe("3.6.8");
  expect(of(undefined)).not.toHaveProperty("version");
  expect(of("unknown")).toMatchObject({ databaseSize: 1 });
});

test("an etcd that does not answer has no report", () => {
  expect(parseReport("")).toBeUndefined();
});

test("a healthy etcd has no problems", () => {
  expect(etcdProblems(quiet)).toEqual([]);
});

test("a dead member of five leaves room for another failure", () => {
  const members = [...healthy, { name: "cp-4", isHealthy: true }, { name: "cp-5", isHealthy: false }];
  expect(etcdProblems({ ...quiet, members })).toEqual(["etcd: member cp-5 is unhealthy; 1 more may fail"]);
});

test("a database that is mostly free, or nearly full, should be defragmented", () => {
  expect(etcdProblems({ ...quiet, databaseSize: 500 * MB, databaseInUse: 100 * MB })).toEqual([
    "etcd: 400 MB of its database are free but not released; " +
      "run `etcdctl defrag` in etcd's pod, on one member after the other",
  ]);
  expect(etcdProblems({ ...quiet, databaseSize: 1_900 * MB, databaseInUse: 1_800 * MB }).join()).toContain(
    "is close to the limit of 2048 MB",
  );
});
