import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { checkSync, lock } from "proper-lockfile";
import { StepError } from "../../common/errors";
import { hiddenFolder } from "./paths";
import { assertUnlocked } from "./pulumi-locks";

/** Milliseconds after which the lock of a killed command is taken over. */
const STALE_MS = 5_000;
const RETRY_MS = 250;

/** The command that holds the lock. */
interface Holder {
  pid: number;
  username: string;
  command: string;
  since: string;
}

/**
 * Holds a stack for a command that runs several operations: Pulumi's own lock exists only while its engine runs.
 * @throws StepError where another command holds the stack; this does not wait for it
 */
export async function withStackLock<T>(
  stack: string,
  project: string,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  assertUnlocked(stack, project);
  const release = await acquire(stack);
  writeFileSync(holderFile(stack), JSON.stringify(holderOf(command)));
  try {
    return await work();
  } finally {
    rmSync(holderFile(stack), { force: true });
    await release();
  }
}

/** @throws StepError where another command holds the stack */
export function assertNotHeld(stack: string): void {
  if (!existsSync(lockFolder(stack)) || !checkSync(lockFolder(stack), optionsOf(stack))) return;
  const holder = readHolder(stack);
  if (holder && holder.pid !== process.pid && isAlive(holder)) throw lockedError(holder);
}

/** Waits only for the lock of a killed command, which becomes stale. */
async function acquire(stack: string): Promise<() => Promise<void>> {
  mkdirSync(hiddenFolder(), { recursive: true });
  assertNotHeld(stack);
  const retries = { retries: (2 * STALE_MS) / RETRY_MS, factor: 1, minTimeout: RETRY_MS };
  try {
    return await lock(lockFolder(stack), { ...optionsOf(stack), retries, onCompromised: () => undefined });
  } catch (error) {
    const holder = readHolder(stack);
    throw (error as NodeJS.ErrnoException).code === "ELOCKED" && holder ? lockedError(holder) : error;
  }
}

const optionsOf = (stack: string) => ({ realpath: false, stale: STALE_MS, lockfilePath: lockFolder(stack) });
const lockFolder = (stack: string) => join(hiddenFolder(), `${stack}.command.lock`);
const holderFile = (stack: string) => join(hiddenFolder(), `${stack}.command.json`);

function holderOf(command: string): Holder {
  return { pid: process.pid, username: userInfo().username, command, since: new Date().toISOString() };
}

function readHolder(stack: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(holderFile(stack), "utf8")) as Holder;
  } catch {
    return undefined; // not locked, or not written yet
  }
}

/** Process ids are reused: where /proc exists, the process must be a command of this project. */
function isAlive({ pid }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  const commandLine = `/proc/${pid}/cmdline`;
  return !existsSync(commandLine) || /bootstrap\.cjs|bin\/kubewright\b/.test(readFileSync(commandLine, "utf8"));
}

function lockedError({ username, command, pid, since }: Holder): StepError {
  return new StepError({
    step: "locking the stack",
    cause: `it is locked: ${username} runs \`${command}\` on it since ${since} (process ${pid})`,
    action: "wait for that command to finish, then run this one again",
  });
}
