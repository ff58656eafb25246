import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ConfigError, type ClusterConfig, parseConfig } from "../../../../components/config";
import { createMachines } from "../../../../components/program/create-machines";
import { connectionOf } from "../../../../components/machines/machine";
import { readSshClientConfig } from "../../../../components/machines/ssh-files";
import type { SshClientConfig } from "../../../../components/machines/ssh-route";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZvciB0ZXN0cyBvbmx5";
let folder: string;
let ssh: SshClientConfig;

beforeAll(() => {
  vi.stubEnv("SSH_AUTH_SOCK", "/run/agent");
  folder = mkdtempSync(join(tmpdir(), "kubewright-ssh-"));
  mkdirSync(join(folder, "more"));
  writeFileSync(join(folder, "id_boss"), "");
  writeFileSync(
    join(folder, "config"),
    [
      "Include more/*.conf",
      "Host bastion",
      "  HostName 203.0.113.1",
      "  User jumper",
      "  IdentityFile /nowhere/key",
      `  IdentityFile ${folder}/id_boss`,
      "Host boss hand-?",
      "  HostName %h.example.com",
      "  User admin",
      "  Port 2222",
      "  ProxyJump bastion",
      `  IdentityFile ${folder}/id_boss`,
      "Host commanded",
      "  ProxyCommand nc %h %p",
      "Host lone",
      "Host *",
      "  Compression yes",
    ].join("\n"),
  );
  writeFileSync(join(folder, "more", "a.conf"), "Host included\n  HostName 203.0.113.7\n");
  const hashed = execFileSync(
    "sh",
    ["-c", `printf '10.0.0.8 ${KEY}8\\n' > hashed && ssh-keygen -q -H -f hashed >/dev/null 2>&1 && cat hashed`],
    { cwd: folder },
  ).toString();
  writeFileSync(
    join(folder, "known_hosts"),
    [
      `10.0.0.7,node7 ssh-rsa AAAAB3RSA`,
      `10.0.0.7 ${KEY}7`,
      `[boss.example.com]:2222 ${KEY}b`,
      `@revoked 10.0.0.9 ${KEY}9`,
      hashed,
    ].join("\n"),
  );
  ssh = { ...readSshClientConfig(folder), canResolve: (name) => name === "dns-name" };
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const config = (raw: unknown): ClusterConfig =>
  parseConfig(raw, { kubernetesVersions: ["1.36.3"], fileExists: ssh.fileExists, ssh });
const workers = (...hosts: object[]) => ({
  workers: { count: 0, hosts: hosts.map((host, index) => ({ name: `own-${index}`, ...host })) },
});
const resolved = (host: object) => config(workers(host)).workers.hosts[0];
const key = () => join(folder, "id_boss");

describe("~/.ssh/config", () => {
  test("resolves an alias to address, user, port, key and jump host, with the host keys of known_hosts", () => {
    expect(resolved({ host: "boss" })).toMatchObject({
      alias: "boss",
      host: "boss.example.com",
      user: "admin",
      port: 2222,
      privateKeyPath: key(),
      hostKey: `${KEY}b`,
      jump: { host: "203.0.113.1", user: "jumper", port: 22, privateKeyPath: key() },
    });
  });

  test("explicit settings take precedence", () => {
    const written = {
      host: "hand-1",
      user: "root",
      port: 22,
      privateKeyPath: join(folder, "config"),
      hostKey: `${KEY}x`,
      jump: "me@203.0.113.9:23",
    };
    const withKey = { ...written, jump: { host: "203.0.113.9", user: "me", port: 23, agent: true } };
    expect(resolved(withKey)).toMatchObject({ ...written, host: "hand-1.example.com", jump: withKey.jump });
  });

  test("reads included files, and applies the lines after an Include to the block around it", () => {
    expect(resolved({ host: "included", agent: true })).toMatchObject({ host: "203.0.113.7", user: "root" });
    expect(ssh.settings("bastion").user).toBe("jumper");
    expect(ssh.settings("included").user).toBeUndefined();
  });

  test("finds the preferred host key, by name or hash, and no revoked key", () => {
    const hostKey = (host: string) => resolved({ host, agent: true })?.hostKey;
    expect([hostKey("10.0.0.7"), hostKey("10.0.0.8"), hostKey("10.0.0.9")]).toEqual([`${KEY}7`, `${KEY}8`, undefined]);
  });

  test("uses the agent for a named host without a key", () => {
    expect(resolved({ host: "lone", hostKey: KEY })).toMatchObject({ agent: true });
  });

  test("the last of several jump hosts is next to the machine", () => {
    const host = resolved({ host: "10.0.0.7", agent: true, jump: "bastion,dns-name" });
    expect(host?.jump).toMatchObject({
      host: "dns-name",
      agent: true,
      jump: { host: "203.0.113.1", user: "jumper", privateKeyPath: key() },
    });
  });
});

describe("refused routes", () => {
  const refused = (host: object): string => {
    try {
      config(workers(host));
    } catch (error) {
      if (error instanceof ConfigError)
        return error.problems.map(({ path, reason, action }) => `${path}: ${reason}; ${action}`).join("\n");
      throw error;
    }
    return "nothing";
  };

  test.each<[string, object, string]>([
    [
      "no key, agent or password",
      { host: "10.0.0.7" },
      "workers.hosts[0].privateKeyPath: is missing; give the path of a private key, or agent: true, or a password",
    ],
    [
      "a missing key file",
      { host: "10.0.0.7", privateKeyPath: "/none" },
      "workers.hosts[0].privateKeyPath: there is no file /none",
    ],
    [
      "an unknown alias",
      { host: "bsos", agent: true },
      "workers.hosts[0].host: bsos is not an alias in ~/.ssh/config, and this computer cannot resolve it",
    ],
    [
      "an unknown jump host",
      { host: "10.0.0.7", agent: true, jump: { host: "bsation", agent: true } },
      "workers.hosts[0].jump.host: bsation is not an alias",
    ],
    [
      "a jump host without a key",
      { host: "10.0.0.7", password: "x", jump: "203.0.113.4" },
      "workers.hosts[0].jump.privateKeyPath: is missing",
    ],
    [
      "a ProxyCommand",
      { host: "commanded", agent: true },
      "workers.hosts[0].host: commanded has a ProxyCommand in ~/.ssh/config, which is not supported; use ProxyJump",
    ],
    [
      "a misspelled property",
      { host: "10.0.0.7", agent: true, jump: { host: "bastion", pasword: "x" } },
      "did you mean password?",
    ],
    [
      "an invalid jump host",
      { host: "10.0.0.7", agent: true, jump: "a b" },
      "workers.hosts[0].jump.host: is neither an address nor a host name",
    ],
  ])("%s", (_, host, message) => {
    expect(refused(host)).toContain(message);
    expect(refused(host).split("\n")).toHaveLength(1);
  });

  test("an agent that does not run", () => {
    const noAgent = { kubernetesVersions: ["1.36.3"], fileExists: ssh.fileExists, ssh: { ...ssh, agent: false } };
    expect(() => parseConfig(workers({ host: "10.0.0.7", agent: true }), noAgent)).toThrow(
      "workers.hosts[0].agent: no SSH agent runs here",
    );
  });

  test("accepts DNS names, and names that only the jump host can resolve", () => {
    expect(refused({ host: "dns-name", agent: true })).toBe("nothing");
    expect(refused({ host: "inner", agent: true, jump: "bastion" })).toBe("nothing");
  });
});

test("only the passwords of a machine and its jump hosts become secrets", async () => {
  const hosts = [
    {
      name: "boss",
      role: "control-plane",
      host: "10.0.0.7",
      password: "p",
      sudoPassword: "s",
      jump: { host: "bastion", password: "j" },
    },
  ];
  const [machine = { name: "", host: "" }] = createMachines(config({ machines: { kind: "ssh", ssh: { hosts } } }), {
    cluster: "x",
    folder: "/tmp/x",
  }).machines;
  const { password, sudoPassword, jump, host } = connectionOf(machine);
  const isSecret = (value: unknown) =>
    pulumi.Output.isInstance(value) ? pulumi.isSecret(value) : Promise.resolve(false);
  expect(await Promise.all([password, sudoPassword, jump?.password, host, jump?.host].map(isSecret))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});
