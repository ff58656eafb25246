import { existsSync, rmSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readFacts } from "../../../../provider/backup/facts";
import { accessFiles, accessOptions } from "../../../../render/backup/access";
import { BACKUP_FOLDER } from "../../../../render/backup/etcd-programs";
import { resticScript } from "../../../../render/backup/machine-restic";
import { BACKUP_TIMER, BACKUP_TIMER_FOLDER, backupTimerFiles } from "../../../../render/backup/timer";
import { BackupMachine, NODE, PASSWORD, POLICY } from "../../../support/backup-machine";

/** The scripts start many small programs, which takes long on a busy computer. */
vi.setConfig({ testTimeout: 60_000 });

const GOLDEN = "../../../golden/backup";
const STAMP = `${BACKUP_FOLDER}/last-backup.json`;
const keep = { last: 3, hourly: 0, daily: 7, weekly: 4 };
const backupOf = (time: string, id = "65c64ecf") =>
  JSON.stringify([
    {
      time: "2026-11-20T10:00:00Z",
      summary: { backup_start: "2026-11-20T10:00:01Z" },
      id: "1aaa",
      short_id: "11111111",
    },
    { time, tree: "ff", hostname: "cp-2", tags: ["stack=dev"], id: `${id}bbbb`, short_id: id },
  ]);

test("the files of the timer have the settings, and no secret", async () => {
  const sftp = { key: "the private key", hostKey: "ssh-ed25519 AAAA nas" };
  const options = accessOptions({ sftp });
  const repository = "sftp:me@nas:/it's";
  const files = backupTimerFiles({ node: NODE, stack: "dev", schedule: "Mon..Fri 03:00", repository, options, keep });
  expect(files[`/etc/systemd/system/${BACKUP_TIMER}`]?.content).toContain("\nOnCalendar=Mon..Fri 03:00\n");
  await expect(files[`${BACKUP_TIMER_FOLDER}/settings`]?.content).toMatchFileSnapshot(`${GOLDEN}/settings`);
  expect(files[`${BACKUP_TIMER_FOLDER}/repository.sh`]?.content).toContain(
    `--retry-lock 5m -o '"sftp.args=-o BatchMode=yes -o StrictHostKeyChecking=yes`,
  );
  expect(JSON.stringify(files)).not.toContain("the private key");
});

test("the files of the access are for root only", async () => {
  const files = accessFiles({
    password: "a b",
    s3: { accessKeyId: "id", secretAccessKey: "it's $secret", authority: "PEM\n" },
    sftp: { key: "KEY", hostKey: "ssh-ed25519 AAAA nas" },
  });
  const text = Object.entries(files).map(([path, { content }]) => `# ${path}\n${content}`);
  await expect(text.join("")).toMatchFileSnapshot(`${GOLDEN}/access.txt`);
  expect(new Set(Object.values(files).map(({ mode }) => mode))).toEqual(new Set([0o600]));
});

describe.skipIf(process.platform !== "linux")("the timer's script", () => {
  let machine: BackupMachine;
  beforeEach(() => {
    machine = new BackupMachine();
  });
  afterEach(() => machine.remove());

  test("stores the files of a backup with the Lease, and leaves nothing", async () => {
    const { code, output, events, result } = machine.run();
    expect(code, output).toBe(0);
    expect(events).toEqual([`lease ${NODE}`, "lease free"]);
    expect(result).toBe("ok 2026-11-27T12:00:00Z\nbackup 7e0d2bf5\n");
    expect(machine.leftovers()).toEqual([]);
    const stored = join(machine.root, "stored");
    const files = (await readdir(stored, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(stored.length + 1)).sort();
    await expect(`${paths.join("\n")}\n`).toMatchFileSnapshot(`${GOLDEN}/content.txt`);
    expect(new Set(paths.map((path) => statSync(join(stored, path)).mode & 0o777))).toEqual(new Set([0o600]));
    expect(machine.read(`/stored/machine${POLICY}`)).toBe("the policy");
    expect(machine.read("/stored/kubelet-config.kubelet.yaml")).toBe("kind: kubelet-config\n");
    const facts = `${JSON.stringify(await readFacts(stored), undefined, 2)}\n`;
    await expect(facts).toMatchFileSnapshot(`${GOLDEN}/cluster.json`);
    expect(JSON.parse(machine.read(STAMP))).toEqual({ id: "7e0d2bf5", time: "2026-11-27T12:00:00.000Z" });
    expect(statSync(machine.root + STAMP).mode & 0o777).toBe(0o644);
  });

  test("stores with the same names as `kubewright backup`, and deletes old backups", () => {
    machine.run();
    const calls = machine
      .read("/calls")
      .trim()
      .split("\n")
      .map((line) => line.replace(/^.*--retry-lock 5m /, ""));
    expect(calls).toEqual([
      ...["cat config", "snapshots --json --tag stack=dev"],
      `backup --json --host ${NODE} --time 2026-11-27 12:00:00 --tag stack=dev .`,
      "forget --tag stack=dev --group-by tags --keep-last 3 --keep-daily 7 --keep-weekly 4 --prune",
      "check",
    ]);
  });

  test("never names the password in a call or an output", () => {
    const { output } = machine.run();
    machine.write("/password", "another\n");
    expect(output + machine.run().output + machine.read("/calls")).not.toContain(PASSWORD);
  });

  test("leaves a backup that is newer than the schedule's last date to itself, and records it for `status`", () => {
    machine.write("/snapshots", backupOf("2026-11-27T00:03:00Z"));
    const { code, events, result } = machine.run();
    expect(code).toBe(0);
    expect(events).toEqual([`lease ${NODE}`, "lease free"]);
    expect(result).toMatch(/^ok \S+\nbackup 65c64ecf is newer/);
    expect(JSON.parse(machine.read(STAMP))).toEqual({ id: "65c64ecf", time: "2026-11-27T00:03:00Z" });
    expect(machine.read("/calls")).not.toContain("--host");
  });

  test("backs up after the schedule's next date", () => {
    machine.write("/snapshots", backupOf("2026-11-26T23:59:00Z"));
    expect(machine.run().result).toContain("backup 7e0d2bf5");
  });

  test("waits for a control plane that has the Lease, and takes over from one that was lost", () => {
    machine.write("/lease", "1 2026-11-27T11:59:30.000000Z cp-2\n");
    const { code, events } = machine.run();
    expect(code).toBe(0);
    expect(events).toEqual([`lease ${NODE}`, "lease free"]);
    expect(machine.slept).toBeGreaterThanOrEqual(270);
    expect(machine.slept).toBeLessThanOrEqual(300);
  });

  test("renews the Lease while it works, and not that of another control plane", () => {
    machine.write("/lease", `1 2026-11-27T11:00:00.000000Z ${NODE}\n`);
    expect(machine.evaluate('renew_lease; echo "$?"')).toBe("0\n");
    expect(machine.read("/lease")).toBe(`1 2026-11-27T12:00:00.000000Z ${NODE}\n`);
    machine.write("/lease", "1 2026-11-27T11:00:00.000000Z cp-2\n");
    expect(machine.evaluate('renew_lease; echo "$?"')).toBe("1\n");
    expect(machine.read("/lease")).toContain("11:00:00.000000Z cp-2");
  });

  test("ends quietly while another control plane works all the time", () => {
    machine.limitWait(60);
    machine.write("/lease", "1 2026-11-27T23:00:00.000000Z cp-2\n");
    const { code, events, result } = machine.run();
    expect(code).toBe(0);
    expect(events).toEqual([]);
    expect(result).toMatch(/^postponed \S+\ncp-2 still backs up the cluster\n$/);
  });

  const failures: readonly [string, (machine: BackupMachine) => void, string][] = [
    [
      "a wrong password",
      (one) => one.write("/password", "another\n"),
      "the password is wrong: correct backup.password",
    ],
    [
      "an unhealthy etcd",
      (one) => one.break("etcd-health.sh", "no leader"),
      "checking etcd on this machine failed: no leader",
    ],
    [
      "a damaged snapshot",
      (one) => one.break("save-snapshot.sh", "checksum"),
      "saving a snapshot of etcd failed: checksum",
    ],
    [
      "a snapshot that cannot be restored",
      (one) => one.break("read-snapshot.sh", "panic"),
      "scratch etcd failed: panic",
    ],
    [
      "a disk that the server has not mounted",
      (one) => rmSync(one.repository, { recursive: true }),
      "there is no repository: mount its disk",
    ],
    ["a full repository", (one) => one.write("/full", ""), "no space left on device"],
    ["a missing key", (one) => one.write("/etc/kubernetes/manifests/kube-apiserver.yaml", ""), "reading the manifest"],
    ["an API that is down", (one) => one.write("/api-down", ""), "the Lease kubewright-backup could not be read"],
    [
      "an etcd that differs from its snapshot",
      (one) => one.write("/live", one.read("/live").replace("3144205426", "5")),
      "at revision 585 etcd has the hash 5, the snapshot 3144205426",
    ],
  ];
  test.each(failures)("records %s, and leaves nothing", (_name, prepare, reason) => {
    prepare(machine);
    const { code, output, events, result } = machine.run();
    expect(code).toBe(1);
    expect(result).toMatch(/^failed 2026-11-27T12:00:00Z\n/);
    expect(result).toContain(reason);
    expect(output).toContain(`<3>`);
    expect(events.at(-1) ?? "lease free").toBe("lease free");
    expect(machine.leftovers()).toEqual([]);
    if (reason !== "no space left on device") expect(machine.read("/stored/etcd.db")).toBe("");
  });

  test("compares nothing when the running etcd was compacted since", () => {
    machine.write("/live", machine.read("/live").replace("400", "500").replace("3144205426", "5"));
    expect(machine.run().code).toBe(0);
    machine.write("/live", "\n");
    expect(machine.run().code).toBe(0);
  });

  test("removes what a killed run has left", () => {
    machine.write(`${BACKUP_FOLDER}/scheduled.abc/files/etcd.db`, "x");
    machine.run();
    expect(machine.leftovers()).toEqual([]);
  });

  test("restic is called for the proof of `up` as for a backup", () => {
    const access = { repository: machine.repository, options: ["-o", "a b"] };
    const call = (command: string) => machine.runScript(resticScript(access, command, 90));
    expect(call("cat config --no-lock")).toEqual({ code: 0, output: "" });
    expect(machine.read("/calls")).toContain(`${machine.repository} --retry-lock 5m -o a b cat config --no-lock`);
    rmSync(machine.repository, { recursive: true });
    expect(call("cat config --no-lock").code).toBe(10);
    expect(call("init").code).toBe(0);
    expect(existsSync(machine.repository)).toBe(true);
    machine.write("/password", "another\n");
    const { code, output } = call("cat config --no-lock");
    expect(`${code} ${output}`).toContain("12 Fatal: wrong password");
  });

  test("checks that its programs and files are there", () => {
    expect(machine.run("check").code).toBe(0);
    machine.write("/etc/kubewright/backup-access/password", "");
    expect(machine.run("check").code).not.toBe(0);
  });
});
