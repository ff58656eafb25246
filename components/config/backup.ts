import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { publicHostKey, secretText, strict } from "../fields/fields";
import { complaint } from "../fields/problems";
import { isCalendar } from "./calendar";
import { sftpProblem } from "./sftp-address";

const REPOSITORY = /^(\/|\.\.?\/|~\/|sftp:\S+|s3:https?:\/\/[^/\s]+\/\S+)/;
/** restic splits ssh's arguments at quotes, and ssh replaces `%` and `${...}` in the path of a key. */
const KEY_PATH = /^(~?\/)[^'"\\%$\p{Cc}]+$/u;

const calendar = z.string().refine(isCalendar, {
  error: complaint("is no calendar of systemd", "write one like daily, *-*-* 03:00 or Mon..Fri 22:30"),
});

/** Where backups are stored, and when one is too old. docs/backup.md explains it. */
export const backupSection = strict({
  /**
   * The repository of restic that stores the backups: a folder on the computer that runs Kubewright,
   * `sftp:user@host:/path`, `sftp://user@host:port//path` or `s3:https://host/bucket`. It is created when it does not
   * exist.
   */
  repository: z
    .string()
    .regex(REPOSITORY, {
      error: complaint(
        "is no repository",
        "write a folder like /srv/backups or ./backups, sftp:user@host:/path, or s3:https://host/bucket",
      ),
    })
    .superRefine((address, context) => {
      const problem = sftpProblem(address);
      if (problem !== undefined) context.addIssue(problem);
    }),
  /**
   * The password that encrypts the repository. Keep a copy outside of the cluster and of this computer: without it
   * nothing can be restored. Set it with `pulumi config set --secret --path 'backup.password'`.
   */
  password: secretText.min(1, complaint("is empty", "create one with `openssl rand -hex 24`")),
  /**
   * When the control planes back up the cluster themselves, a calendar of systemd: `daily`, `*-*-* 03:00`,
   * `Mon..Fri 22:30 Europe/Berlin`. Each control plane gets restic, a timer, and the password and the keys of the
   * repository in files of root (docs/backup.md). Not with a folder as repository.
   * @default backups are taken by `npm run backup` only, and control planes have no password
   */
  schedule: calendar.optional(),
  /**
   * When every control plane tries the newest backup in a scratch etcd, a calendar of systemd: `weekly`. Only with
   * `backup.schedule`.
   * @default backups are tried by `npm run backup:drill` only
   */
  drillSchedule: calendar.optional(),
  /**
   * Creates the cluster from a backup, `latest` or its id, when its control planes are lost, or in a new stack
   * (docs/backup.md). A cluster that exists does not change.
   */
  restoreFrom: z.coerce // Pulumi stores an id of digits as a number.
    .string()
    .regex(/^(latest|[0-9a-f]{8,64})$/, {
      error: complaint("is no backup", "write latest, or an id of `kubewright backup list`"),
    })
    .optional(),
  /** How many backups are kept. A backup that none of these keeps is deleted after the next one. */
  keep: strict({
    /** The newest ones. */
    last: z.int().min(1).default(3),
    /** The newest one of each of these hours. */
    hourly: z.int().min(0).default(24),
    /** The newest one of each of these days. */
    daily: z.int().min(0).default(7),
    /** The newest one of each of these weeks. */
    weekly: z.int().min(0).default(4),
  }).prefault({}),
  /** Hours after which `npm run status` reports the last backup as too old. */
  maxAge: z.int().min(1).default(48),
  /** Hours after which `npm run status` reports the last drill as too old. */
  maxDrillAge: z.int().min(1).default(744),
  /** Access to a repository in S3. */
  s3: strict({
    /** Id of the access key. */
    accessKeyId: z.string().min(1),
    /** Secret of the access key. Set it with `pulumi config set --secret --path 'backup.s3.secretAccessKey'`. */
    secretAccessKey: secretText,
    /**
     * File with the certificate of the authority that issued the server's certificate, PEM.
     * @default the authorities that this computer trusts
     */
    caFile: z.string().optional(),
  }).optional(),
  /**
   * Access to a repository by SFTP, with the `ssh` of this computer. Address, port, user and jump hosts also come from
   * `~/.ssh/config`. No command asks a question: the login is by key, and a server with an unknown host key is refused.
   */
  sftp: strict({
    /**
     * File with the private key of the login: an absolute path, or one that begins with `~/`. A key with a passphrase
     * must be in the SSH agent.
     * @default the keys of the SSH agent, and those of `~/.ssh`
     */
    key: z
      .string()
      .regex(KEY_PATH, {
        error: complaint(
          "is no path of a key",
          "write an absolute path like ~/.ssh/id_ed25519, without quotes, \\, % and $",
        ),
      })
      .optional(),
    /**
     * Public host key of the server in OpenSSH's format, `ssh-ed25519 AAAA...`. A server with another key is refused.
     * @default the key in `~/.ssh/known_hosts`
     */
    hostKey: publicHostKey.optional(),
  }).optional(),
});

export type BackupSettings = z.output<typeof backupSection>;

/** Returns the address of a repository. The path of a folder is relative to the project. */
export function repositoryAddress(repository: string, project: string): string {
  if (/^(sftp|s3):/.test(repository)) return repository;
  return repository.startsWith("~/") ? join(homedir(), repository.slice(2)) : resolve(project, repository);
}
