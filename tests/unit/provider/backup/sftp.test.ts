import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sftpOption } from "../../../../provider/backup/sftp";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-sftp-"));
  vi.stubEnv("KUBEWRIGHT_CACHE", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const HOST_KEY = "ssh-ed25519 AAAAC3Nza";

test("nothing asks, and the host key is verified whatever ~/.ssh/config says", async () => {
  const option = await sftpOption({});
  for (const setting of ["BatchMode=yes", "StrictHostKeyChecking=yes", "VerifyHostKeyDNS=no", "ControlPath=none"])
    expect(option).toContain(`-o ${setting} `);
  expect(option).not.toMatch(/UserKnownHostsFile|HostKeyAlias|IdentitiesOnly| -i /);
  expect(readdirSync(folder)).toEqual([]);
});

test("only the given key is used, and its path begins in the home folder of this computer", async () => {
  expect(await sftpOption({ sftp: { key: "~/.ssh/a key" } })).toMatch(
    new RegExp(`-o IdentitiesOnly=yes -i '${homedir()}/\\.ssh/a key'"$`),
  );
});

test("a pinned host key is the only one that is accepted", async () => {
  const option = await sftpOption({ sftp: { hostKey: `${HOST_KEY} root@nas\n* ssh-rsa BBBB\n` } });
  const path = /UserKnownHostsFile=""(.*)""/.exec(option)?.[1] ?? "";
  expect(readFileSync(path, "utf8")).toBe(`kubewright-backup ${HOST_KEY}\n`);
  expect(option).toContain("-o HostKeyAlias=kubewright-backup ");
  expect(option).toContain("-o GlobalKnownHostsFile=/dev/null");
});

test("a path that restic cannot pass on is refused", async () => {
  vi.stubEnv("KUBEWRIGHT_CACHE", join(folder, "it's"));
  await expect(sftpOption({ sftp: { hostKey: HOST_KEY } })).rejects.toThrow("without quotes and backslashes");
});
