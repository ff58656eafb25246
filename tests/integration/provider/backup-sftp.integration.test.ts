import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { obtainRestic } from "../../../artifacts/restic";
import { messageOf } from "../../../common/errors";
import { silent } from "../../../common/progress";
import { Repository } from "../../../provider/backup/repository";
import { freePort, sshdAvailable, startSshd, type Sshd } from "../../support/sshd";

const { signal } = new AbortController();
let missing: string | undefined;
let sshd: Sshd;
let restic: string;
let key: string;

beforeAll(async () => {
  const { met, reason } = await sshdAvailable();
  if (!met) return void (missing = reason);
  restic = await obtainRestic(silent, signal).catch((error: unknown) => ((missing = messageOf(error)), ""));
  if (missing !== undefined) return;
  sshd = await startSshd();
  vi.stubEnv("KUBEWRIGHT_CACHE", join(sshd.folder, "cache, 100% full"));
  key = join(sshd.folder, "a key, copied");
  cpSync(sshd.privateKeyPath, key);
  mkdirSync(join(sshd.folder, "source"));
  writeFileSync(join(sshd.folder, "source", "etcd.db"), Buffer.alloc(1_000_000, "the data of etcd"));
}, 300_000);
beforeEach(({ skip }) => skip(missing !== undefined, missing));
afterAll(async () => {
  vi.unstubAllEnvs();
  await sshd?.stop();
});

interface Access {
  key?: string;
  hostKey?: string;
  port?: number;
  path?: string;
}

function repository({ path = `${sshd.folder}/a/b`, port = sshd.port, ...sftp }: Access): Repository {
  const address = `sftp://${sshd.user}@${sshd.host}:${port}/${path}`;
  return new Repository(restic, { repository: address, password: "the password", sftp }, "dev", signal);
}

const pinned = () => ({ key, hostKey: sshd.hostKey });

test("a repository is created with its folders, and a backup is stored, listed, read and deleted", async () => {
  const one = repository(pinned());
  await one.open();
  await one.open(); // it exists now
  const source = join(sshd.folder, "source");
  for (const time of ["2026-11-25T10:00:00Z", "2026-11-26T10:00:00Z"]) await one.store(source, { node: "cp-1", time });
  expect(await one.list()).toHaveLength(2);
  const { id } = await one.find("latest");
  const target = join(sshd.folder, "fetched");
  await one.fetch(id, target);
  expect(readFileSync(join(target, "etcd.db")).equals(readFileSync(join(source, "etcd.db")))).toBe(true);
  await one.clean({ last: 1, hourly: 0, daily: 0, weekly: 0 });
  expect((await one.list()).map((backup) => backup.id)).toEqual([id]);
});

test("without a pinned key and with none in known_hosts, the server is refused", async () => {
  const before = await sshd.logins();
  await expect(repository({ key }).list()).rejects.toThrow(
    /listing the backups failed on sftp:.*: the server's host key is not known; .*backup\.sftp\.hostKey/,
  );
  expect(await sshd.logins()).toBe(before);
});

test("a server with another key than the pinned one is refused, with the key that it sent", async () => {
  const former = pinned();
  await sshd.changeHostKey();
  await expect(repository(former).list()).rejects.toThrow(/is not that of backup\.sftp\.hostKey: SHA256:[\w+/]{43};/);
});

test("a refused login names the key", async () => {
  await sshd.acceptKey(false);
  await expect(repository(pinned()).list()).rejects.toThrow(
    /the server refuses the login: Permission denied \(publickey\); add the public key of .*copied to/,
  );
  await sshd.acceptKey(true);
});

test("a key that does not exist is named", async () => {
  await expect(repository({ ...pinned(), key: "/missing/key" }).list()).rejects.toThrow(
    /refuses the login: .* \(Identity file \/missing\/key not accessible: No such file or directory\)/,
  );
});

test("a missing repository, and a server that does not answer, are named", async () => {
  const path = `${sshd.folder}/missing`;
  await expect(repository({ ...pinned(), path }).list()).rejects.toThrow(/there is no repository; correct backup/);
  expect(existsSync(path)).toBe(false);
  const port = await freePort();
  await expect(repository({ ...pinned(), port }).list()).rejects.toThrow(/ssh: connect to host .*Connection refused/);
});

test("a file in the place of a folder, and a server that forbids writing, are named", async () => {
  writeFileSync(join(sshd.folder, "file"), "");
  await expect(repository({ ...pinned(), path: `${sshd.folder}/file/b` }).open()).rejects.toThrow(
    /creating the repository failed on sftp:.*: .*file is not a folder; correct the path/,
  );
  const other = await startSshd({ config: ["ForceCommand internal-sftp -R"] });
  try {
    const access = { key: other.privateKeyPath, hostKey: other.hostKey, port: other.port, path: `${other.folder}/b` };
    await expect(repository(access).open()).rejects.toThrow(/may not write .*: permission denied; make the user/);
  } finally {
    await other.stop();
  }
});
