import { readFileSync } from "node:fs";
import { messageOf } from "../../common/errors";
import { optional } from "../../common/optional";
import { localPath } from "../../common/portable-path";
import type { RepositoryAccess } from "../../render/backup/access";
import { type BackupSettings, type ClusterConfig, ConfigError } from "../config";
import type { BackupTimerArgs } from "../nodes/settings";

/**
 * Returns how the control planes back up the cluster themselves; undefined without `backup.schedule`. The files that
 * they need are read from this computer.
 * @throws ConfigError when a file cannot be read, or the key has a passphrase
 */
export function backupTimerOf({ backup }: ClusterConfig): BackupTimerArgs | undefined {
  if (backup?.schedule === undefined) return undefined;
  const { schedule, drillSchedule, repository, keep } = backup;
  return { schedule, ...optional({ drillSchedule }), repository, keep, access: accessOf(backup) };
}

function accessOf({ password, repository, s3, sftp }: BackupSettings): RepositoryAccess {
  if (repository.startsWith("s3:")) return { password, ...optional({ s3: s3 && accessToS3(s3) }) };
  const { key, hostKey } = sftp ?? {};
  // The configuration's check requires both.
  if (key === undefined || hostKey === undefined) throw new Error("backup.sftp has no key or no hostKey");
  return { password, sftp: { key: readKey(key), hostKey } };
}

function accessToS3({ caFile, ...keys }: NonNullable<BackupSettings["s3"]>): RepositoryAccess["s3"] {
  return {
    ...keys,
    ...optional({ authority: caFile === undefined ? undefined : readText(caFile, "backup.s3.caFile") }),
  };
}

function readKey(file: string): string {
  const path = "backup.sftp.key";
  const text = readText(file, path);
  if (!hasPassphrase(text)) return text;
  throw problem(path, "the key has a passphrase, which no timer can enter", "create a key without one for the backups");
}

function readText(file: string, path: string): string {
  try {
    return readFileSync(localPath(file), "utf8");
  } catch (error) {
    throw problem(path, messageOf(error), "the control planes need a copy: give the path of the file on this computer");
  }
}

function problem(path: string, reason: string, action: string): ConfigError {
  return new ConfigError([{ path, reason, action }]);
}

/** Whether a private key is encrypted: PKCS#8, PEM with a header, or OpenSSH's format, which begins with the cipher. */
function hasPassphrase(key: string): boolean {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: .*ENCRYPTED/m.test(key)) return true;
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END/.exec(key) ?? [];
  if (body === undefined) return false;
  const data = Buffer.from(body, "base64");
  const start = "openssh-key-v1\0".length;
  const length = data.length < start + 4 ? 0 : data.readUInt32BE(start);
  return data.subarray(start + 4, start + 4 + length).toString() !== "none";
}
