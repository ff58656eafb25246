import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { obtainRestic } from "../../../artifacts/restic";
import { messageOf } from "../../../common/errors";
import { silent } from "../../../common/progress";
import { quote } from "../../../common/quote";
import { until } from "../../../common/wait";
import { Repository } from "../../../provider/backup/repository";

const { signal } = new AbortController();
const KEEP = { last: 1, hourly: 0, daily: 0, weekly: 0 };
const PASSWORD = "the password";
let missing: string | undefined;
let folder: string;
let restic: string;
let repository: Repository;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-lock-"));
  restic = await obtainRestic(silent, signal).catch((error: unknown) => ((missing = messageOf(error)), ""));
  if (missing !== undefined) return;
  // restic itself, with less patience for locks.
  const program = join(folder, "restic");
  const script = `for one; do [ "$one" = 1m ] && one=2s; set -- "$@" "$one"; shift; done; exec ${quote(restic)} "$@"`;
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const settings = { repository: join(folder, "repository"), password: PASSWORD };
  repository = new Repository(program, settings, "dev", signal);
  await repository.open();
  mkdirSync(source());
  writeFileSync(join(source(), "etcd.db"), "the data of etcd");
}, 300_000);
beforeEach(({ skip }) => skip(missing !== undefined, missing));
afterAll(() => rmSync(folder, { recursive: true }));

const source = () => join(folder, "source");
const locks = () => readdirSync(join(folder, "repository", "locks")).length;

/** A restic that holds a lock, because its input does not end. */
async function startBackup(): Promise<{ kill: () => Promise<void> }> {
  const env = { ...process.env, RESTIC_PASSWORD: PASSWORD, RESTIC_CACHE_DIR: join(folder, "cache") };
  const args = ["--repo", join(folder, "repository"), "backup", "--stdin"];
  const child = spawn(restic, args, { env, stdio: ["pipe", "ignore", "ignore"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await until(async () => locks() > 0 || undefined, {
    ...{ signal, timeout: 30, every: 50 },
    onTimeout: () => new Error("restic has no lock after 30 s"),
  });
  return { kill: async () => (child.kill("SIGKILL"), await exited) };
}

test("the lock of a restic that runs is respected", async () => {
  await repository.store(source(), { node: "cp-1", time: "2026-11-26T10:00:00Z" });
  const other = await startBackup();
  await expect(repository.clean(KEEP)).rejects.toThrow(/PID \d+ on .* uses it/);
  expect(locks()).toBe(1);
  // Backups are stored and listed beside it.
  await repository.store(source(), { node: "cp-2", time: "2026-11-26T11:00:00Z" });
  expect(await repository.list()).toHaveLength(2);
  await other.kill();
}, 60_000);

test("the lock of a restic that was killed is removed", async () => {
  const other = await startBackup();
  await other.kill();
  expect(locks()).toBeGreaterThan(0);
  await repository.clean(KEEP);
  expect(locks()).toBe(0);
  expect(await repository.list()).toHaveLength(1);
}, 60_000);
