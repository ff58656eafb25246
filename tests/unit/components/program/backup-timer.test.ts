import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseConfig } from "../../../../components/config";
import { backupTimerOf } from "../../../../components/program/backup-timer";
import { environment } from "../config/samples";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-backup-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const hostKey = "ssh-ed25519 AAAA";
const timerOf = (backup: object) =>
  backupTimerOf(parseConfig({ backup: { password: "a password", ...backup } }, environment));
const bySftp = (key: string) => timerOf({ repository: "sftp:me@nas:/b", schedule: "daily", sftp: { key, hostKey } });

function createKey(name: string, passphrase: string, ...more: string[]): string {
  const path = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ecdsa", "-N", passphrase, "-f", path, ...more]);
  return path;
}

test("without a schedule control planes get nothing", () => {
  expect(timerOf({ repository: "/b" })).toBeUndefined();
  expect(backupTimerOf(parseConfig({}, environment))).toBeUndefined();
});

test("with SFTP control planes get the key and the host key", () => {
  const key = createKey("plain", "");
  expect(bySftp(key)).toEqual({
    ...{ schedule: "daily", repository: "sftp:me@nas:/b", keep: { last: 3, hourly: 24, daily: 7, weekly: 4 } },
    access: { password: "a password", sftp: { key: readFileSync(key, "utf8"), hostKey } },
  });
});

test.each([
  ["OpenSSH's format", []],
  ["PEM", ["-m", "PEM"]],
  ["PKCS#8", ["-m", "PKCS8"]],
])("a key with a passphrase is refused, and one without is accepted: %s", (name, more) => {
  expect(bySftp(createKey(`${name.length}-plain`, "", ...more))?.access.sftp?.key).toContain("PRIVATE KEY");
  const locked = createKey(`${name.length}-locked`, "a passphrase", ...more);
  expect(() => bySftp(locked)).toThrow("backup.sftp.key: the key has a passphrase");
});

test("a key that is not on this computer is named", () =>
  expect(() => bySftp(join(folder, "missing"))).toThrow(/backup\.sftp\.key: ENOENT.*give the path/s));

test("with S3 control planes get the access key and the certificate of the authority", () => {
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, "PEM\n");
  const keys = { accessKeyId: "id", secretAccessKey: "key" };
  const backup = { repository: "s3:https://s3.example.com/bucket", schedule: "daily" };
  expect(timerOf({ ...backup, s3: keys })?.access).toEqual({ password: "a password", s3: keys });
  expect(timerOf({ ...backup, s3: { ...keys, caFile } })?.access.s3).toEqual({ ...keys, authority: "PEM\n" });
});
