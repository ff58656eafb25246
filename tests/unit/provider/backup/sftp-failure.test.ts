import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { serverOf, sftpFailure } from "../../../../provider/backup/sftp-failure";

const { signal } = new AbortController();
const NO_SESSION = "Fatal: unable to open repository: unable to start the sftp session, error: unexpected EOF";
const HOST_KEY = "ssh-ed25519 AAAAC3Nza";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-sftp-"));
  vi.stubEnv("KUBEWRIGHT_CACHE", folder);
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Puts an ssh on PATH that records its arguments and prints this text. */
function installSsh(text: string): void {
  writeFileSync(join(folder, "text"), text);
  writeFileSync(join(folder, "ssh"), `#!/bin/sh\necho "$*" >${folder}/call\ncat ${folder}/text >&2\nexit 255\n`, {
    mode: 0o755,
  });
}

const explain = (stderr: string, sftp = {}, repository = "sftp:me@nas:/b") =>
  sftpFailure(stderr, { repository, sftp }, signal);

const CHANGED = "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nSHA256:abc+/1.\nHost key verification failed.";

test.each([
  ["another pinned key", { hostKey: HOST_KEY }, CHANGED, "is not that of backup.sftp.hostKey: SHA256:abc+/1"],
  ["another key in known_hosts", {}, CHANGED, "another host key than ~/.ssh/known_hosts: SHA256:abc+/1"],
  ["an unknown key", {}, "Host key verification failed.", "the server's host key is not known"],
  ["a refused login", {}, "me@nas: Permission denied (publickey).", "refuses the login: Permission denied (publickey)"],
  [
    "a key with a passphrase",
    { key: "/k" },
    'Load key "/k": incorrect passphrase supplied\nPermission denied (publickey).',
    '(Load key "/k": incorrect passphrase supplied)',
  ],
  ["a server without SFTP", {}, "subsystem request failed on channel 0", "the server offers no SFTP"],
  ["an address without a server", {}, "ssh: Could not resolve hostname nas", "ssh: Could not resolve"],
])("%s is explained", async (_, sftp, text, cause) => {
  installSsh(text);
  expect((await explain(NO_SESSION, sftp))?.cause).toContain(cause);
  expect(readFileSync(join(folder, "call"), "utf8")).toMatch(/StrictHostKeyChecking=yes .*-l me -s nas sftp\n$/);
});

test.each([
  ["a folder of another user", "mkdir /b: permission denied", "may not write or read the folder"],
  ["a file in the place of a folder", "MkdirAll /a/b: mkdir /a: not a directory", "/a is not a folder"],
  ["a missing folder", "MkdirAll /b: file does not exist", "the folder does not exist on the server"],
])("%s is explained", async (_, stderr, cause) => {
  expect((await explain(stderr))?.cause).toContain(cause);
});

test("errors of other repositories, and other errors, stay as they are", async () => {
  expect(await explain("permission denied", {}, "/b")).toBeUndefined();
  expect(await explain("Fatal: disk full")).toBeUndefined();
  installSsh("");
  expect((await explain(NO_SESSION))?.cause).toContain("exit code 255");
});

test("the server of an address is the one that restic connects to", () => {
  expect(serverOf("sftp:nas:b")).toEqual({ host: "nas" });
  expect(serverOf("sftp:a@b.org@nas:/b:c")).toEqual({ user: "a@b.org", host: "nas" });
  expect(serverOf("sftp://nas/b:1")).toEqual({ host: "nas" });
  expect(serverOf("sftp://me@nas:2222//b@c")).toEqual({ user: "me", host: "nas", port: "2222" });
  expect(serverOf("sftp://me@[fd00::1]:22/b")).toEqual({ user: "me", host: "fd00::1", port: "22" });
});
