import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { SSHConfig, glob } from "ssh-config";
import type { SshKnowledge, SshSettings } from "./ssh-route";

/** Files that include one another are read to this depth, as ssh does. */
const INCLUDE_DEPTH = 16;
const RESOLVE_MS = 10_000;

/** ~/.ssh of this computer's person, as ssh reads it. */
export function sshKnowledge(folder = join(homedir(), ".ssh")): SshKnowledge {
  const config = SSHConfig.parse(withIncludes(textOf(join(folder, "config")), folder));
  const hosts = textOf(join(folder, "known_hosts"));
  return {
    settings: (name) => settingsOf(config, name),
    hostKey: (name, port) => knownKey(hosts, name, port),
    agent: Boolean(process.env.SSH_AUTH_SOCK),
    fileExists: (path) => existsSync(expanded(path)),
    resolves,
  };
}

/** `~/x` as a path of this computer. */
export function expanded(path: string): string {
  return path.replace(/^~(?=\/)/, homedir());
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // Not to be there, or not to be ours to read, is the same to ssh.
  }
}

function settingsOf(config: SSHConfig, name: string): SshSettings {
  // `Match exec` would run commands of the person's in every preview.
  const found = config.compute(name, { ignoreCase: true, matchExec: false });
  const one = (key: string) => [found[key]].flat()[0];
  const [host, user, port, jump, hostKeyAlias, proxyCommand] = [
    "hostname",
    "user",
    "port",
    "proxyjump",
    "hostkeyalias",
    "proxycommand",
  ].map(one);
  const known = config.some(
    (line) =>
      "config" in line &&
      /^host$/i.test(line.param) &&
      namesOf(line.value).some((pattern) => pattern !== "*" && glob(pattern, name)),
  );
  const inFile = (path: string) =>
    expanded(
      path
        .replaceAll("%d", homedir())
        .replaceAll("%h", host ?? name)
        .replaceAll("%%", "%"),
    );
  return {
    known,
    identityFiles: [found.identityfile ?? []]
      .flat()
      .filter((path) => path !== "none")
      .map(inFile),
    ...(host ? { host: host.replaceAll("%h", name) } : {}),
    ...(user ? { user } : {}),
    ...(port ? { port: Number(port) } : {}),
    ...(jump ? { jump } : {}),
    ...(hostKeyAlias ? { hostKeyAlias } : {}),
    ...(proxyCommand ? { proxyCommand } : {}),
  };
}

function namesOf(value: string | { val: string }[] | undefined): string[] {
  return typeof value === "string" ? value.split(/\s+/) : (value ?? []).map(({ val }) => val);
}

/** The parser leaves Include to us. What follows one belongs again to the block that it stood in. */
function withIncludes(text: string, folder: string, depth = 0): string {
  let block = "Host *";
  return text
    .split("\n")
    .map((line) => {
      const [, word = "", rest = ""] = /^\s*(\w+)(?:\s+|\s*=\s*)(.*)$/.exec(line) ?? [];
      if (/^(host|match)$/i.test(word)) block = line;
      if (!/^include$/i.test(word)) return line;
      const files =
        depth < INCLUDE_DEPTH
          ? rest
              .split(/\s+/)
              .filter(Boolean)
              .flatMap((pattern) => matching(pattern.replaceAll('"', ""), folder))
          : [];
      return [...files.map((file) => withIncludes(textOf(file), folder, depth + 1)), block].join("\n");
    })
    .join("\n");
}

function matching(pattern: string, folder: string): string[] {
  const home = expanded(pattern);
  const path = isAbsolute(home) ? home : join(folder, home);
  const names = existsSync(dirname(path)) ? readdirSync(dirname(path)) : [];
  return names
    .filter((name) => glob(basename(path), name))
    .sort()
    .map((name) => join(dirname(path), name));
}

/** Best first: one key is pinned, though a host has several. */
const KEY_TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

function knownKey(text: string, name: string, port: number): string | undefined {
  const wanted = port === 22 ? name : `[${name}]:${port}`;
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  const found = lines
    .filter(([hosts = ""]) => !/^[@#]/.test(hosts) && isFor(hosts, wanted))
    .map(([, type = "", key = ""]) => ({ type, key }));
  const best = KEY_TYPES.map((type) => found.find((one) => one.type === type)).find(Boolean);
  return best && `${best.type} ${best.key}`;
}

/** `one,two,10.0.0.*`, or `|1|salt|hash` of one name. sshd(8) */
function isFor(hosts: string, wanted: string): boolean {
  const [, method, salt = "", hash] = hosts.split("|");
  if (method === "1") return createHmac("sha1", Buffer.from(salt, "base64")).update(wanted).digest("base64") === hash;
  return hosts !== "" && glob(hosts.split(","), wanted);
}

/** The one name that only the system can tell of, such as a search domain's: asked in a process of its own, since here nothing may wait. */
function resolves(name: string): boolean {
  try {
    execFileSync(
      process.execPath,
      ["-e", "require('dns').lookup(process.argv[1], (error) => process.exit(error ? 1 : 0))", name],
      { stdio: "ignore", timeout: RESOLVE_MS },
    );
    return true;
  } catch {
    return false;
  }
}
