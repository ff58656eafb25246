import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readFacts, writeFacts } from "../../../../provider/backup/facts";
import { BACKUP_FOLDER } from "../../../../render/backup/etcd-programs";
import { DRILL_SERVICE, DRILL_TIMER, drillTimerFiles } from "../../../../render/backup/timer";
import { BackupMachine, NODE } from "../../../support/backup-machine";

/** The scripts start many small programs, which takes long on a busy computer. */
vi.setConfig({ testTimeout: 60_000 });

const STAMP = `${BACKUP_FOLDER}/last-drill.json`;
const FACTS = "/stored/cluster.json";

test("the timer has its own calendar, and its service runs the drill", () => {
  const files = drillTimerFiles("Sun 04:00");
  expect(files[`/etc/systemd/system/${DRILL_TIMER}`]?.content).toContain("\nOnCalendar=Sun 04:00\n");
  const service = files[`/etc/systemd/system/${DRILL_SERVICE}`]?.content;
  expect(service).toContain("\nExecStart=/bin/sh /etc/kubewright/backup/drill.sh\n");
});

describe.skipIf(process.platform !== "linux")("the drill's script", () => {
  let machine: BackupMachine;
  beforeEach(() => {
    machine = new BackupMachine();
    expect(machine.run().code).toBe(0);
    const backup = { time: "2026-11-27T12:00:00Z", id: "7e0d2bf5aaaa", short_id: "7e0d2bf5" };
    machine.write("/snapshots", JSON.stringify([backup]));
  });
  afterEach(() => machine.remove());

  test("restores the newest backup with the Lease, records it for `status`, and leaves nothing", () => {
    const { code, output, events, result } = machine.drill();
    expect(code, output).toBe(0);
    expect(events).toEqual([`lease ${NODE}/drill`, "lease free"]);
    expect(result).toBe("ok 2026-11-27T12:00:00Z\nbackup 7e0d2bf5 can be restored\n");
    expect(JSON.parse(machine.read(STAMP))).toEqual({ id: "7e0d2bf5", time: "2026-11-27T12:00:00Z" });
    expect(machine.leftovers()).toEqual([]);
    expect(machine.read("/calls")).toMatch(/ restore 7e0d2bf5 --target \S+\/files\n$/);
  });

  test("reads what `kubewright backup` has recorded, in the order of its own", async () => {
    const folder = join(machine.root, "stored");
    const { content, ...facts } = await readFacts(folder);
    const { keys, hash, compactRevision, revision } = content;
    await writeFacts(folder, { ...facts, content: { hash, compactRevision, revision, keys } });
    expect(machine.drill().result).toMatch(/^ok /);
  });

  test("waits for a backup of the same control plane", () => {
    machine.limitWait(60);
    machine.write("/lease", `1 2026-11-27T23:00:00.000000Z ${NODE}\n`);
    const { code, result } = machine.drill();
    expect(code).toBe(0);
    expect(result).toMatch(/^postponed /);
  });

  const failures: readonly [string, (machine: BackupMachine) => void, string][] = [
    [
      "another hash and a missing kind",
      (one) =>
        one.write(FACTS, one.read(FACTS).replace("3144205426", "5").replace('"secrets":2', '"secrets":2,"pods":1')),
      "backup 7e0d2bf5 differs: recorded hash 5,pods 1; restored hash 3144205426",
    ],
    ["a damaged snapshot", (one) => one.write("/stored/etcd.db", "x"), "restoring the snapshot into a scratch etcd"],
    ["a repository without backups", (one) => one.write("/snapshots", "[]"), "has no backup of this cluster"],
    ["a wrong password", (one) => one.write("/password", "another\n"), "the password is wrong"],
    [
      "a missing repository",
      (one) => rmSync(one.repository, { recursive: true }),
      "there is no repository: mount its disk",
    ],
  ];
  test.each(failures)("records %s, and leaves nothing", (_name, prepare, reason) => {
    prepare(machine);
    const { code, result } = machine.drill();
    expect(code).toBe(1);
    expect(result).toMatch(/^failed 2026-11-27T12:00:00Z\n/);
    expect(result).toContain(reason);
    expect(machine.read(STAMP)).toBe("");
    expect(machine.leftovers()).toEqual([]);
  });

  test("checks that its programs and files are there", () => {
    expect(machine.drill("check").code).toBe(0);
    machine.write("/etc/kubewright/backup-access/password", "");
    expect(machine.drill("check").code).not.toBe(0);
  });
});
