import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Repository } from "../../../../provider/backup/repository";
import type { RepositorySettings } from "../../../../contracts/kubeadm/restore-from";

const { signal } = new AbortController();
const PASSWORD = "the password";

let folder: string;
let calls: () => string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-repository-"));
  calls = () => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A restic that records its arguments, its stdin and its access key, and answers with this script. */
function repository(script: string, settings: Partial<RepositorySettings> = {}): Repository {
  const program = join(folder, "restic");
  const record = `echo "$* | $(cat) | $AWS_SECRET_ACCESS_KEY" >> ${folder}/calls`;
  writeFileSync(program, `#!/bin/sh\n${record}\n${script}\n`, { mode: 0o755 });
  const all = { repository: join(folder, "r"), password: PASSWORD, ...settings };
  return new Repository(program, all, "dev", signal);
}

test("secrets are in no argument: the password comes by stdin, the access key in the environment", async () => {
  const s3 = { accessKeyId: "id", secretAccessKey: "a secret", caFile: "/ca.pem" };
  await repository("exit 0", { repository: "s3:https://s3.example.com/b", s3 }).open();
  const options = "--repo s3:https://s3.example.com/b --cacert /ca.pem --retry-lock 1m";
  expect(calls()).toEqual(["init", "cat config"].map((command) => `${options} ${command} | ${PASSWORD} | a secret`));
});

test("SFTP gets its own options, and its failures are explained", async () => {
  const settings = { repository: "sftp:me@nas:/b", sftp: { key: "/k" } };
  await repository("exit 0", settings).open();
  expect(calls()[0]).toMatch(/--repo sftp:me@nas:\/b -o "sftp\.args=-o BatchMode=yes .* -i \/k" --retry-lock/);
  await expect(repository("echo mkdir: permission denied >&2; exit 1", settings).open()).rejects.toThrow(
    "opening the repository failed on sftp:me@nas:/b: the user of the login may not write or read the folder",
  );
});

test("a repository that does not exist is created, any other failure is reported", async () => {
  await repository('case "$*" in *config) exit 10;; esac').open();
  expect(calls().map((call) => call.replace(/ \|.*/, "").split(" ").at(-1))).toEqual(["config", "init"]);
  await expect(repository("exit 12").open()).rejects.toThrow(
    `opening the repository failed on ${folder}/r: the password is wrong; correct backup.password`,
  );
  await expect(repository("exit 11").open()).rejects.toThrow("another command uses it");
  await expect(repository("echo Fatal: disk full >&2; exit 1").open()).rejects.toThrow("Fatal: disk full");
});

const LOCK = "unable to create lock in backend: repository is already locked by PID 41 on nas by ops (UID 1, GID 1)";

test("a lock that a killed restic has left is removed, and the command runs again", async () => {
  const one = repository(`[ -e ${folder}/unlocked ] && exit 0
case "$*" in *unlock) touch ${folder}/unlocked; exit 0;; esac
exit 11`);
  await one.open();
  expect(calls().map((call) => call.replace(/ \|.*/, "").split(" ").at(-1))).toEqual(["config", "unlock", "config"]);
});

test("the lock of a command that runs is reported with its owner, and stays", async () => {
  const script = `case "$*" in *unlock) exit 0;; esac; echo "Fatal: ${LOCK}" >&2; exit 11`;
  await expect(repository(script).open()).rejects.toThrow(
    /PID 41 on nas by ops .*uses it; wait for that command, .*in half an hour/,
  );
  expect(calls()).toHaveLength(3);
});

test("S3: a bucket that does not exist is created, one that exists is used, and a refusal is reported", async () => {
  const settings = { repository: "s3:https://s3.example.com/b" };
  const answer = (text: string) => `case "$*" in *init) echo '${text}' >&2; exit 1;; esac`;
  await repository("exit 0", settings).open();
  await repository(answer("Fatal: repository master key and config already initialized"), settings).open();
  await repository(answer("Fatal: config file already exists"), settings).open();
  await expect(repository(answer("Fatal: The request signature does not match"), settings).open()).rejects.toThrow(
    "creating the repository failed on s3:https://s3.example.com/b: Fatal: The request signature does not match",
  );
});

test("a request that restic repeated in vain is reported with its reason", async () => {
  const lines = [
    "Stat(<config/>) returned error, retrying after 1.2s: Stat: The specified bucket does not exist.",
    "Fatal: unable to open config file: context canceled",
  ];
  const one = repository(`printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")} >&2; exit 1`);
  await expect(one.list()).rejects.toThrow(/: Stat: The specified bucket does not exist\.; check/);
});

const SNAPSHOT = {
  ...{ id: "65c64ecfaaaa", short_id: "65c64ecf", time: "2026-11-26T15:00:00+01:00", hostname: "cp-1" },
  summary: { total_bytes_processed: 7 },
};

test("backups are those of the stack, the oldest first", async () => {
  const older = { ...SNAPSHOT, id: "1a2b3c4daaaa", short_id: "1a2b3c4d", time: "2026-11-25T14:00:00Z" };
  const backups = await repository(`echo '${JSON.stringify([SNAPSHOT, older])}'`).list();
  expect(backups).toEqual([
    { id: "1a2b3c4d", time: "2026-11-25T14:00:00.000Z", node: "cp-1", size: 7 },
    { id: "65c64ecf", time: "2026-11-26T14:00:00.000Z", node: "cp-1", size: 7 },
  ]);
  expect(calls()[0]).toContain("--tag stack=dev");
});

test("a backup is found by its short or whole id, or as the latest", async () => {
  const one = repository(`echo '${JSON.stringify([SNAPSHOT])}'`);
  for (const id of ["latest", "65c64ecf", SNAPSHOT.id]) expect((await one.find(id)).id).toBe("65c64ecf");
  await expect(one.find("ffffffff")).rejects.toThrow("there is no backup ffffffff; use an id that");
  await expect(repository("echo '[]'").find("latest")).rejects.toThrow("create one with `npm run backup`");
});

test("a backup is stored under the stack's tag, with the time of the snapshot", async () => {
  const id = await repository(`echo '{"snapshot_id":"65c64ecfaaaa"}'`).store(folder, {
    ...{ node: "cp-1", time: "2026-11-26T14:00:00.123Z" },
  });
  expect(id).toBe("65c64ecf");
  expect(calls()[0]).toContain("backup --json --host cp-1 --time 2026-11-26 14:00:00 --tag stack=dev .");
});

test("retention groups by tag, so that control planes share one set, and omits counts of zero", async () => {
  await repository("exit 0").clean({ last: 3, hourly: 24, daily: 0, weekly: 4 });
  expect(calls()[0]).toContain(
    "forget --tag stack=dev --group-by tags --keep-last 3 --keep-hourly 24 --keep-weekly 4 --prune",
  );
  expect(calls()[1]).toContain("check");
});
