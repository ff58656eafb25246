import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { cacheRoot } from "../../artifacts";
import { StepError } from "../../common/errors";
import { parseJson } from "../../common/json";
import { lastLines, tryCommand, type Outcome } from "../../common/process";
import type { RepositorySettings } from "../../contracts/kubeadm/restore-from";
import { userCommand } from "../../common/user-command";
import { ALREADY_EXISTS, ResticCode, reasonOfRetries } from "./restic-outcome";
import { sftpOption } from "./sftp";
import { sftpFailure } from "./sftp-failure";

/** Seconds. restic repeats requests that S3 refuses for a quarter of an hour. */
const SHORT = 90;
const LONG = 3_600;

const LOCKED_ACTION =
  "wait for that command, then run this one again; if it was killed on another computer, its lock ends in half an hour";

const snapshotSchema = z.array(
  z.object({
    id: z.string(),
    short_id: z.string(),
    time: z.string(),
    hostname: z.string(),
    tags: z.array(z.string()).default([]),
    summary: z.object({ total_bytes_processed: z.number() }).optional(),
  }),
);

interface CommandOptions {
  cwd?: string;
  env?: Record<string, string>;
}

/** One backup of a repository. */
export interface StoredBackup {
  /** Eight hexadecimal digits. */
  id: string;
  /** ISO 8601. */
  time: string;
  /** Control plane on which the snapshot was taken. */
  node: string;
  /** Bytes; undefined for backups of an old restic. */
  size: number | undefined;
}

/** How many backups are kept: the newest ones, and the newest one of each hour, day and week. */
export interface KeptBackups {
  last: number;
  hourly: number;
  daily: number;
  weekly: number;
}

/** The repository of a stack's backups, through restic on this computer. */
export class Repository {
  private readonly tag: string;

  /** @param restic path of the program */
  constructor(
    private readonly restic: string,
    private readonly settings: RepositorySettings,
    stack: string,
    private readonly signal: AbortSignal,
  ) {
    this.tag = `stack=${stack}`;
  }

  /** The repository's address, without secrets. */
  get address(): string {
    return this.settings.repository;
  }

  /** Creates the repository if it does not exist. @throws StepError where it cannot be used */
  async open(): Promise<void> {
    if (this.address.startsWith("s3:")) await this.createBucket();
    const outcome = await this.run(["cat", "config"], "opening the repository", SHORT, [0, ResticCode.missing]);
    if (outcome.code === 0) return;
    if (this.address.startsWith("/")) await mkdir(this.address, { recursive: true, mode: 0o700 });
    await this.run(["init"], "creating the repository", SHORT);
  }

  /**
   * Creates the repository and its bucket where they do not exist. To read from a bucket that does not exist, or with a
   * wrong access key, restic tries for a quarter of an hour; `init` creates the former and refuses the latter.
   */
  private async createBucket(): Promise<void> {
    const step = "creating the repository";
    const outcome = await this.run(["init"], step, SHORT, [0, 1]);
    if (outcome.code !== 0 && !ALREADY_EXISTS.test(outcome.stderr)) throw await this.failureOf(step, outcome);
  }

  /** Stores a folder as a backup, and returns its id. */
  async store(folder: string, { node, time }: { node: string; time: string }): Promise<string> {
    const step = "storing the backup";
    const at = time.slice(0, 19).replace("T", " ");
    const args = ["backup", "--json", "--host", node, "--time", at, "--tag", this.tag, "."];
    const { stdout } = await this.run(args, step, LONG, [0], { cwd: folder, env: { TZ: "UTC" } });
    const last = parseJson(stdout.trim().split("\n").at(-1) ?? "");
    const id = z.object({ snapshot_id: z.string() }).safeParse(last).data?.snapshot_id;
    if (id === undefined) throw this.failure(step, "restic did not report the backup's id");
    return id.slice(0, 8);
  }

  /** Deletes the backups that need not be kept, and checks the repository's structure. */
  async clean({ last, hourly, daily, weekly }: KeptBackups): Promise<void> {
    const keep = Object.entries({ last, hourly, daily, weekly }).flatMap(([name, count]) =>
      count === 0 ? [] : [`--keep-${name}`, String(count)],
    );
    await this.run(
      ["forget", "--tag", this.tag, "--group-by", "tags", ...keep, "--prune"],
      "deleting old backups",
      LONG,
    );
    await this.run(["check"], "checking the repository", LONG);
  }

  /** Returns the stack's backups, the oldest first. */
  async list(): Promise<StoredBackup[]> {
    const { stdout } = await this.run(["snapshots", "--json", "--tag", this.tag], "listing the backups", SHORT);
    const snapshots = snapshotSchema.safeParse(parseJson(stdout)).data ?? [];
    return snapshots
      .map(({ short_id: id, time, hostname: node, summary }) => ({
        ...{ id, node, size: summary?.total_bytes_processed },
        time: new Date(time).toISOString(),
      }))
      .sort((one, other) => one.time.localeCompare(other.time));
  }

  /** Returns a backup by its id, or the newest one for `latest`. */
  async find(id: string): Promise<StoredBackup> {
    const backups = await this.list();
    const found = id === "latest" ? backups.at(-1) : backups.find((backup) => backup.id === id.slice(0, 8));
    if (found) return found;
    throw new StepError({
      step: "finding the backup",
      cause: backups.length === 0 ? `${this.address} has no backup of this stack` : `there is no backup ${id}`,
      action:
        backups.length === 0
          ? `create one with \`${userCommand("backup")}\``
          : `use an id that \`${userCommand("backup list")}\` prints, or latest`,
    });
  }

  /** Writes the files of a backup to a folder. restic verifies every part by its hash. */
  async fetch(id: string, folder: string): Promise<void> {
    await this.run(["restore", id, "--target", folder], "reading the backup", LONG);
  }

  /**
   * Runs restic. `unlock` removes only locks of processes that this computer no longer has, and those that were not
   * renewed for half an hour. Otherwise one killed restic would block the repository until a person removes its lock.
   */
  private async run(
    args: readonly string[],
    step: string,
    timeout: number,
    accept: readonly number[] = [0],
    more: CommandOptions = {},
  ): Promise<Outcome> {
    let outcome = await this.call(args, step, timeout, more);
    if (outcome.code === ResticCode.locked) {
      await this.call(["unlock"], step, SHORT);
      outcome = await this.call(args, step, timeout, more);
    }
    if (accept.includes(outcome.code)) return outcome;
    throw await this.failureOf(step, outcome);
  }

  private async call(
    args: readonly string[],
    step: string,
    timeout: number,
    more: CommandOptions = {},
  ): Promise<Outcome> {
    const options = [...(await this.connectionOptions()), "--retry-lock", "1m"];
    return await tryCommand(this.restic, ["--repo", this.address, ...options, ...args], {
      step,
      timeout,
      signal: this.signal,
      // restic reads the password from stdin where that is no terminal.
      input: `${this.settings.password}\n`,
      ...more,
      env: { ...this.environment(), ...more.env },
    });
  }

  private async connectionOptions(): Promise<string[]> {
    const { repository, s3 } = this.settings;
    return [
      ...(repository.startsWith("sftp:") ? ["-o", await sftpOption(this.settings)] : []),
      ...(s3?.caFile === undefined ? [] : ["--cacert", s3.caFile]),
    ];
  }

  private environment(): Record<string, string> {
    const { s3 } = this.settings;
    return {
      RESTIC_CACHE_DIR: join(cacheRoot(), "restic"),
      ...(s3 ? { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey } : {}),
    };
  }

  private async failureOf(step: string, { code, stdout, stderr }: Outcome): Promise<StepError> {
    if (code === ResticCode.wrongPassword)
      return this.failure(step, "the password is wrong", "correct backup.password in the configuration");
    if (code === ResticCode.missing)
      return this.failure(
        step,
        "there is no repository",
        `correct backup.repository, or create it with \`${userCommand("backup")}\``,
      );
    if (code === ResticCode.locked) return this.failure(step, `${lockOwner(stderr)} uses it`, LOCKED_ACTION);
    const sftp = await sftpFailure(stderr, this.settings, this.signal);
    if (sftp) return this.failure(step, sftp.cause, sftp.action);
    return this.failure(step, reasonOfRetries(stderr) ?? lastLines(stderr || stdout));
  }

  private failure(
    step: string,
    cause: string,
    action = "check the repository with `restic check`, and the access to it",
  ): StepError {
    return new StepError({ step, machine: this.address, cause, action });
  }
}

/** Returns which process has the lock: `PID 41 on nas by root`. */
function lockOwner(stderr: string): string {
  return /already locked (?:exclusively )?by (PID \d+ on \S+ by \S+)/.exec(stderr)?.[1] ?? "another command";
}
