import { lastLines, tryCommand } from "../../common/process";
import type { RepositorySettings } from "../../contracts/kubeadm/restore-from";
import { sshArguments } from "./sftp";

/** Seconds. */
const SECONDS = 60;
/** What restic prints when it has no connection. */
const NO_SESSION = "unable to start the sftp session";

type SftpSettings = Pick<RepositorySettings, "repository" | "sftp">;

/** Why a repository by SFTP cannot be used, and what to do. */
export interface SftpFailure {
  cause: string;
  action: string;
}

const SHOW_KEY = "`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`";
const REINSTALLED = `if the server was installed again, compare its key with ${SHOW_KEY} on it`;

/**
 * Explains why restic could not use a repository by SFTP; undefined for other errors. A connection that did not come
 * about is tried again without restic, which may end before it has printed what ssh says.
 * @param connect connects with ssh, and returns what it prints. @default from this computer
 */
export async function sftpFailure(
  stderr: string,
  settings: SftpSettings,
  signal: AbortSignal,
  connect = () => connectOnce(settings, signal),
): Promise<SftpFailure | undefined> {
  if (!settings.repository.startsWith("sftp:")) return undefined;
  if (!stderr.includes(NO_SESSION)) return folderFailure(stderr);
  const text = await connect();
  return hostKeyFailure(text, settings) ?? loginFailure(text, settings) ?? serverFailure(text);
}

/** Opens the subsystem SFTP and closes it again. @returns what ssh prints */
async function connectOnce(settings: SftpSettings, signal: AbortSignal): Promise<string> {
  const args = [...(await sshArguments(settings)), ...sftpLogin(settings.repository)];
  return (await tryCommand("ssh", args, { step: "connecting to the server", signal, timeout: SECONDS })).stderr;
}

/** Returns the arguments with which ssh opens the subsystem SFTP of a repository's server. */
export function sftpLogin(repository: string): string[] {
  const { host, port, user } = serverOf(repository);
  const login = [...(port === undefined ? [] : ["-p", port]), ...(user === undefined ? [] : ["-l", user])];
  return [...login, "-s", host, "sftp"];
}

/** Returns the server of a repository, as restic gives it to ssh. */
export function serverOf(address: string): { host: string; port?: string | undefined; user?: string | undefined } {
  const [, short] = /^sftp:([^/][^:]*):/.exec(address) ?? [];
  if (short !== undefined) {
    const at = short.lastIndexOf("@");
    return at === -1 ? { host: short } : { user: short.slice(0, at), host: short.slice(at + 1) };
  }
  const [, user, host = "", port] = /^sftp:\/\/(?:([^/]*)@)?(\[[^\]]*\]|[^/:]*)(?::(\d+))?/.exec(address) ?? [];
  return { user, host: host.replace(/^\[|\]$/g, ""), port };
}

function hostKeyFailure(stderr: string, { sftp }: SftpSettings): SftpFailure | undefined {
  if (!stderr.includes("Host key verification failed")) return undefined;
  const fingerprint = /\bSHA256:[\w+/]+/.exec(stderr)?.[0];
  const isAnother = stderr.includes("HOST IDENTIFICATION HAS CHANGED");
  const sent = fingerprint === undefined ? "" : `: ${fingerprint}`;
  if (sftp?.hostKey !== undefined)
    return {
      cause: `the server's host key is not that of backup.sftp.hostKey${sent}`,
      action: `${REINSTALLED}, and set it`,
    };
  if (isAnother)
    return {
      cause: `the server has another host key than ~/.ssh/known_hosts${sent}`,
      action: `${REINSTALLED}, and remove the former one with \`ssh-keygen -R\``,
    };
  return {
    cause: "the server's host key is not known",
    action: `set backup.sftp.hostKey, or connect with \`ssh\` and compare its key with ${SHOW_KEY} on the server`,
  };
}

function loginFailure(stderr: string, { sftp }: SftpSettings): SftpFailure | undefined {
  const refusal = /(Permission denied \([^)]*\)|Too many authentication failures)/.exec(stderr)?.[0];
  if (refusal === undefined) return undefined;
  const unusable = /(Identity file .* not accessible: [^\n.]*|Load key ".*": [^\n]*)/.exec(stderr)?.[0];
  return {
    cause: `the server refuses the login: ${refusal}${unusable === undefined ? "" : ` (${unusable.trim()})`}`,
    action:
      sftp?.key === undefined
        ? "add the key to the SSH agent with `ssh-add`, or set backup.sftp.key"
        : `add the public key of ${sftp.key} to authorized_keys on the server; a passphrase needs the SSH agent`,
  };
}

function serverFailure(stderr: string): SftpFailure | undefined {
  if (stderr.includes("subsystem request failed"))
    return { cause: "the server offers no SFTP", action: "set `Subsystem sftp internal-sftp` in its sshd_config" };
  const cause = lastLines(stderr, 1);
  return cause === "" ? undefined : { cause, action: "check backup.repository, and that `ssh` reaches the server" };
}

function folderFailure(stderr: string): SftpFailure | undefined {
  const fatal = lastLines(stderr, 1); // earlier lines can be about restic's cache on this computer
  if (/permission denied|SSH_FX_PERMISSION_DENIED/i.test(fatal))
    return {
      cause: "the user of the login may not write or read the folder: permission denied",
      action: "make the user the owner of the folder, or correct the path in backup.repository",
    };
  const file = /mkdir (\S+): not a directory/.exec(fatal)?.[1];
  if (file !== undefined) return { cause: `${file} is not a folder`, action: "correct the path in backup.repository" };
  if (/file does not exist|SSH_FX_NO_SUCH_FILE/i.test(fatal))
    return { cause: "the folder does not exist on the server", action: "correct the path in backup.repository" };
  return undefined;
}
