import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { StepError } from "../../common/errors";
import { refuseLocked } from "./pulumi-locks";
import { hiddenFolder } from "./paths";

interface Holder {
  pid: number;
  username: string;
  command: string;
  since: string;
}

/**
 * Holds the stack for a command that does several things one after the other: Pulumi's own lock is only there while its engine works.
 * Nobody waits here: who comes second is told who was first.
 */
export async function withStackLock<T>(
  stack: string,
  project: string,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  refuseLocked(stack, project);
  const release = take(stack, command);
  try {
    return await work();
  } finally {
    release();
  }
}

/** @throws StepError when another command holds the stack. */
export function refuseHeld(stack: string): void {
  const holder = holderOf(lockFile(stack));
  if (holder && holder.pid !== process.pid && isCommand(holder.pid)) throw heldBy(holder);
}

function take(stack: string, command: string): () => void {
  const path = lockFile(stack);
  const own = `${path}.${process.pid}`;
  mkdirSync(hiddenFolder(), { recursive: true });
  const holder: Holder = { pid: process.pid, username: userInfo().username, command, since: new Date().toISOString() };
  // Written aside and linked into place, so that the file is never seen without its content.
  writeFileSync(own, JSON.stringify(holder));
  const release = () => rmSync(path, { force: true });
  try {
    if (!linked(own, path)) {
      refuseHeld(stack);
      release(); // of a command that was killed
      if (!linked(own, path)) refuseHeld(stack);
    }
  } finally {
    rmSync(own, { force: true });
  }
  process.once("exit", release);
  return () => {
    process.removeListener("exit", release);
    release();
  };
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

const lockFile = (stack: string) => join(hiddenFolder(), `${stack}.lock`);

function holderOf(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return undefined; // there is none, or it was released between two looks
  }
}

/** Process numbers are used again: where the system tells, it must be a command of ours. */
function isCommand(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  const told = `/proc/${pid}/cmdline`;
  return !existsSync(told) || readFileSync(told, "utf8").includes("bootstrap.cjs");
}

function heldBy({ username, command, pid, since }: Holder): StepError {
  return new StepError({
    step: "locking the stack",
    cause: `it is locked: ${username} runs \`${command}\` on it since ${since} (process ${pid})`,
    action: "wait for its end, and run this again",
  });
}
