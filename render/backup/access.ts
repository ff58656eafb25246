import { quote } from "../../common/quote";
import type { NodeFiles } from "../node-files";
import { BACKUP_FOLDER } from "./etcd-programs";
import { pinnedKnownHosts, pinnedOptions, sftpArgumentsOption, SSH_OPTIONS } from "./sftp";

/** Folder of the files with which a control plane reaches the repository. Only root can read them. */
export const ACCESS_FOLDER = "/etc/kubewright/backup-access";
/** Path of restic on a control plane that backs up the cluster on a schedule. */
export const RESTIC = `${BACKUP_FOLDER}/restic`;

const AUTHORITY_FILE = `${ACCESS_FOLDER}/authority.pem`;
const SSH_KEY_FILE = `${ACCESS_FOLDER}/ssh-key`;
const KNOWN_HOSTS_FILE = `${ACCESS_FOLDER}/known_hosts`;

/** What a control plane needs to use a repository. All of it is secret. */
export interface RepositoryAccess {
  /** Password of the repository. */
  password: string;
  s3?: {
    accessKeyId: string;
    secretAccessKey: string;
    /** Certificate of the authority that issued the server's certificate, PEM. */
    authority?: string;
  };
  sftp?: {
    /** Private key of the login, without a passphrase. */
    key: string;
    /** Public host key of the server, `ssh-ed25519 AAAA...`. */
    hostKey: string;
  };
}

/** Renders the files with which a control plane reaches the repository. */
export function accessFiles({ password, s3, sftp }: RepositoryAccess): NodeFiles {
  const environment = s3 && [
    `AWS_ACCESS_KEY_ID=${quote(s3.accessKeyId)}`,
    `AWS_SECRET_ACCESS_KEY=${quote(s3.secretAccessKey)}`,
  ];
  const contents: Record<string, string | undefined> = {
    [`${ACCESS_FOLDER}/password`]: `${password}\n`,
    [`${ACCESS_FOLDER}/environment`]: environment && `${environment.join("\n")}\n`,
    [AUTHORITY_FILE]: s3?.authority,
    // OpenSSH refuses a key without a newline at its end.
    [SSH_KEY_FILE]: sftp && `${sftp.key.trimEnd()}\n`,
    [KNOWN_HOSTS_FILE]: sftp && pinnedKnownHosts(sftp.hostKey),
  };
  return Object.fromEntries(
    Object.entries(contents).flatMap(([path, content]) =>
      content === undefined ? [] : [[path, { content, mode: 0o600 }]],
    ),
  );
}

/** Returns the options of restic that name these files. */
export function accessOptions({ s3, sftp }: Pick<RepositoryAccess, "s3" | "sftp">): string[] {
  return [
    ...(s3?.authority === undefined ? [] : ["--cacert", AUTHORITY_FILE]),
    ...(sftp ? ["-o", sftpArgumentsOption(sshWords())] : []),
  ];
}

/** Returns the arguments of ssh besides the server, on a control plane. */
export function sshWords(): string[] {
  const options = [...SSH_OPTIONS, "IdentitiesOnly=yes", ...pinnedOptions(KNOWN_HOSTS_FILE)];
  return [...options.flatMap((option) => ["-o", option]), "-i", SSH_KEY_FILE];
}
