import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { SSH_ALIAS, sshFiles } from "../../../../cli/nodes/ssh-config";
import { connectionSchema } from "../../../../contracts/connection";

const folder = mkdtempSync(join(tmpdir(), "kubewright ssh-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGCDDbVCzVfJTmZXS/wqVJ3yEB8MvhJrCVHP1HqSBMaX";
const connection = connectionSchema.parse({
  host: "10.0.0.11",
  user: "admin",
  privateKeyPath: "/home/me/my keys/id%1",
  hostKey: KEY,
  jump: { host: "bastion.example.com", port: 2222, agent: true, privateKey: "KEY" },
});

/** The settings that OpenSSH itself reads. */
function effective(alias: string): string[] {
  const files = sshFiles(connection, folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return execFileSync("ssh", ["-G", "-F", join(folder, "config"), alias], { encoding: "utf8" }).split("\n");
}

test("OpenSSH logs in as Kubewright does, through the jump host", () => {
  expect(effective(SSH_ALIAS)).toEqual(
    expect.arrayContaining([
      "hostname 10.0.0.11",
      "user admin",
      "port 22",
      "identityfile /home/me/my keys/id%1".replace("%", "%%"),
      "identitiesonly yes",
      `proxyjump ${SSH_ALIAS}-1`,
    ]),
  );
  expect(effective(`${SSH_ALIAS}-1`)).toEqual(
    expect.arrayContaining(["hostname bastion.example.com", "port 2222", "user root", "identitiesonly no"]),
  );
});

test("only the recorded host key is accepted, and an unknown one is asked for", () => {
  const { known_hosts: known, "key-1": key } = sshFiles(connection, folder);
  expect(known).toBe(`${SSH_ALIAS} ${KEY}\n`);
  expect(key).toBe("KEY\n");
  expect(effective(SSH_ALIAS)).toEqual(
    expect.arrayContaining(["stricthostkeychecking true", `hostkeyalias ${SSH_ALIAS}`]),
  );
  expect(effective(`${SSH_ALIAS}-1`)).toContain("stricthostkeychecking ask");
});
