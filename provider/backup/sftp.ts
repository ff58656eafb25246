import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { cacheRoot } from "../../artifacts";
import { StepError } from "../../common/errors";
import type { RepositorySettings } from "../../contracts/kubeadm/restore-from";
import { pinnedKnownHosts, pinnedOptions, sftpArgumentsOption, SSH_OPTIONS } from "../../render/backup/sftp";

/**
 * Returns restic's option with the arguments of ssh for a repository by SFTP. Writes a pinned host key to the cache
 * first.
 */
export async function sftpOption(settings: Pick<RepositorySettings, "sftp">): Promise<string> {
  const words = (await sshArguments(settings)).map(resticWord);
  return sftpArgumentsOption(words);
}

/** Returns the arguments of ssh besides the server. Writes a pinned host key to the cache first. */
export async function sshArguments({ sftp = {} }: Pick<RepositorySettings, "sftp">): Promise<string[]> {
  const { key, hostKey } = sftp;
  const options = [
    ...SSH_OPTIONS,
    ...(key === undefined ? [] : ["IdentitiesOnly=yes"]),
    ...(hostKey === undefined ? [] : await pinnedKeyOptions(hostKey)),
  ];
  const identity = key === undefined ? [] : ["-i", key.replace(/^~(?=\/)/, homedir())];
  return [...options.flatMap((option) => ["-o", option]), ...identity];
}

async function pinnedKeyOptions(hostKey: string): Promise<string[]> {
  const path = await writeKnownHosts(hostKey);
  const value = `"${path.replaceAll("%", "%%")}"`;
  return pinnedOptions(value);
}

/** Writes a file in the format of known_hosts with one key, and returns its path. */
async function writeKnownHosts(hostKey: string): Promise<string> {
  const text = pinnedKnownHosts(hostKey);
  const folder = join(cacheRoot(), "restic");
  const path = join(folder, `known_hosts-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`);
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
  return path;
}

/** Quotes one argument in `sftp.args`. restic cannot read a word that has the quote around it, or ends with `\`. */
function resticWord(word: string): string {
  if (/^[A-Za-z0-9=_@%+:,./-]+$/.test(word)) return word;
  if (!/['\\]/.test(word)) return `'${word}'`;
  throw new StepError({
    step: "calling ssh",
    cause: `restic cannot give ssh the argument ${word}`,
    action: "use paths of the key and of the cache without quotes and backslashes",
  });
}
