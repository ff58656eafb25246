/** Name under which ssh looks up a pinned host key, whichever address ~/.ssh/config gives the server. */
export const PINNED_HOST = "kubewright-backup";

/**
 * Options of ssh that override those of ~/.ssh/config: nothing asks, every host key is verified, and a connection of
 * another command is not used, because it may have been opened without the verification.
 */
export const SSH_OPTIONS = [
  "BatchMode=yes",
  "StrictHostKeyChecking=yes",
  "VerifyHostKeyDNS=no",
  "NoHostAuthenticationForLocalhost=no",
  "ControlMaster=no",
  "ControlPath=none",
  "ConnectTimeout=30", // seconds
  "ServerAliveInterval=15", // seconds; after three of them without an answer, ssh ends
];

/** Returns a file in the format of known_hosts with the pinned key of the server, `ssh-ed25519 AAAA...`. */
export function pinnedKnownHosts(hostKey: string): string {
  const [type = "", key = ""] = hostKey.trim().split(/\s+/);
  return `${PINNED_HOST} ${type} ${key}\n`;
}

/** Returns the options of ssh for a server whose key is in such a file. @param file as ssh reads it in an option */
export function pinnedOptions(file: string): string[] {
  return [`HostKeyAlias=${PINNED_HOST}`, `UserKnownHostsFile=${file}`, "GlobalKnownHostsFile=/dev/null"];
}

/**
 * Returns restic's option with the arguments of ssh. restic reads the option as a line of CSV, and splits its value
 * into words afterwards.
 * @param words quoted as restic reads them
 */
export function sftpArgumentsOption(words: readonly string[]): string {
  return `"sftp.args=${words.join(" ").replaceAll('"', '""')}"`;
}
