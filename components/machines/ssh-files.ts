import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { SSHConfig, glob } from "ssh-config";
import { optional } from "../../common/optional";
import { localPath, portablePath } from "../../common/portable-path";
import type { SshClientConfig, SshHostConfig } from "./ssh-route";

/** Depth to which included files are read: the same as in ssh. */
const INCLUDE_DEPTH = 16;
const RESOLVE_MS = 10_000;

/** Reads the current user's ~/.ssh as ssh does. */
export function readSshClientConfig(folder = join(homedir(), ".ssh")): SshClientConfig {
  const config = SSHConfig.parse(withIncludes(textOf(join(folder, "config")), folder));
  const hosts = textOf(join(folder, "known_hosts"));
  return {
    settings: (name) => settingsFor(config, name),
    hostKey: (name, port) => recordedHostKey(hosts, name, port),
    agent: Boolean(process.env.SSH_AUTH_SOCK),
    fileExists: (path) => existsSync(localPath(path)),
    canResolve,
  };
}

/** Replaces a leading `~` by the current user's home directory. */
export function expandHome(path: string): string {
  return path.replace(/^~(?=\/)/, homedir());
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // ssh ignores files that do not exist or are not readable, too.
  }
}

function settingsFor(config: SSHConfig, name: string): SshHostConfig {
  // `Match exec` would run the user's commands in every preview.
  const computed = config.compute(name, { ignoreCase: true, matchExec: false });
  const first = (key: string) => [computed[key]].flat()[0];
  const [host, user, port, jump, hostKeyAlias, proxyCommand] = [
    "hostname",
    "user",
    "port",
    "proxyjump",
    "hostkeyalias",
    "proxycommand",
  ].map(first);
  const expandTokens = (path: string) =>
    expandHome(
      path
        .replaceAll("%d", homedir())
        .replaceAll("%h", host ?? name)
        .replaceAll("%%", "%"),
    );
  return {
    isNamed: namesHost(config, name),
    identityFiles: [computed.identityfile ?? []]
      .flat()
      .filter((path) => path !== "none")
      .map((path) => portablePath(expandTokens(path))),
    ...optional({
      host: host?.replaceAll("%h", name) || undefined,
      user: user || undefined,
      port: port ? Number(port) : undefined,
      jump: jump || undefined,
      hostKeyAlias: hostKeyAlias || undefined,
      proxyCommand: proxyCommand || undefined,
    }),
  };
}

/** Whether a Host line other than `Host *` matches the name. */
function namesHost(config: SSHConfig, name: string): boolean {
  return config.some(
    (line) =>
      "config" in line &&
      /^host$/i.test(line.param) &&
      patternsOf(line.value).some((pattern) => pattern !== "*" && glob(pattern, name)),
  );
}

function patternsOf(value: string | { val: string }[] | undefined): string[] {
  return typeof value === "string" ? value.split(/\s+/) : (value ?? []).map(({ val }) => val);
}

/**
 * Replaces Include lines by the files' contents, which the parser does not do. The lines after it belong to the block
 * around it again.
 */
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
              .flatMap((pattern) => matchingFiles(pattern.replaceAll('"', ""), folder))
          : [];
      return [...files.map((file) => withIncludes(textOf(file), folder, depth + 1)), block].join("\n");
    })
    .join("\n");
}

function matchingFiles(pattern: string, folder: string): string[] {
  const expanded = expandHome(pattern);
  const path = isAbsolute(expanded) ? expanded : join(folder, expanded);
  const names = existsSync(dirname(path)) ? readdirSync(dirname(path)) : [];
  return names
    .filter((name) => glob(basename(path), name))
    .sort()
    .map((name) => join(dirname(path), name));
}

/** Types of host keys in order of preference. A host has several keys, of which one is pinned. */
const KEY_TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

/** The host's key in known_hosts. */
function recordedHostKey(text: string, name: string, port: number): string | undefined {
  const host = port === 22 ? name : `[${name}]:${port}`;
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  const keys = lines
    .filter(([hosts = ""]) => !/^[@#]/.test(hosts) && matchesHost(hosts, host))
    .map(([, type = "", key = ""]) => ({ type, key }));
  const best = KEY_TYPES.map((type) => keys.find((key) => key.type === type)).find(Boolean);
  return best && `${best.type} ${best.key}`;
}

/** Matches `one,two,10.0.0.*`, or `|1|salt|hash` of one name. See SSH_KNOWN_HOSTS FILE FORMAT in sshd(8). */
function matchesHost(hosts: string, host: string): boolean {
  const [, method, salt = "", hash] = hosts.split("|");
  if (method === "1") return createHmac("sha1", Buffer.from(salt, "base64")).update(host).digest("base64") === hash;
  return hosts !== "" && glob(hosts.split(","), host);
}

/**
 * Whether the system resolves the name, search domains included. Runs in another process, because the configuration
 * is read synchronously.
 */
function canResolve(name: string): boolean {
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
