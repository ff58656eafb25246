import { localPath } from "../../common/portable-path";
import type { Connection, Jump } from "../../contracts/connection";

/** The files with which OpenSSH connects to a machine as Kubewright does, by name. */
export type SshFiles = Readonly<Record<string, string>>;

/** Name of the machine in the configuration; jump hosts have a number behind it. */
export const SSH_ALIAS = "kubewright";

/**
 * Returns a configuration of OpenSSH for one machine, and the files that it names. A pinned host key is the only one
 * that is accepted.
 * @param folder where the files will be
 */
export function sshFiles(connection: Connection, folder: string): SshFiles {
  const files: Record<string, string> = {};
  const hosts: string[] = [];
  const known: string[] = [];
  let hop: Connection | Jump | undefined = connection;
  for (let index = 0; hop !== undefined; index++, hop = hop.jump) {
    const alias = index === 0 ? SSH_ALIAS : `${SSH_ALIAS}-${index}`;
    if (hop.privateKey !== undefined) files[`key-${index}`] = withNewline(hop.privateKey);
    if (hop.hostKey) known.push(`${alias} ${hop.hostKey.trim()}`);
    hosts.push(hostBlock(hop, alias, index, folder));
  }
  return { ...files, config: hosts.join("\n"), known_hosts: known.map(withNewline).join("") };
}

function hostBlock(hop: Connection | Jump, alias: string, index: number, folder: string): string {
  const key =
    (hop.privateKeyPath && localPath(hop.privateKeyPath)) ??
    (hop.privateKey === undefined ? undefined : `${folder}/key-${index}`);
  const settings = [
    ["HostName", hop.host],
    ["Port", String(hop.port)],
    ["User", hop.user],
    ["HostKeyAlias", alias],
    ["UserKnownHostsFile", quoted(`${folder}/known_hosts`)],
    ["StrictHostKeyChecking", hop.hostKey ? "yes" : "ask"],
    ["UpdateHostKeys", "no"],
    ...(key === undefined ? [] : [["IdentityFile", quoted(key)]]),
    ...(hop.agent ? [] : [["IdentitiesOnly", "yes"]]),
    ...(hop.jump ? [["ProxyJump", `${SSH_ALIAS}-${index + 1}`]] : []),
  ];
  return [`Host ${alias}`, ...settings.map(([name, value]) => `  ${name} ${value}`), ""].join("\n");
}

/** OpenSSH expands %, and ends a value at a space unless it is quoted. */
function quoted(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
