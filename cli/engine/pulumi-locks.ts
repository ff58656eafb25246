import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import { backendFolder } from "./paths";

const WAIT_SECONDS = 3600;

/** Content of a lock file of Pulumi's file backend. */
interface LockHolder {
  pid: number;
  hostname: string;
  username: string;
  timestamp: string;
}

/**
 * Waits for a running engine on this computer, and removes the lock of a killed one. The engine of a killed command
 * runs on for a while.
 * @throws StepError where an engine on another computer holds the lock
 */
export async function releaseStaleLocks(
  stack: Stack,
  project: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const [holder] = livingHolders(stack.name, project);
  if (holder) {
    if (holder.hostname !== hostname()) throw lockedError(holder);
    progress(`another run (process ${holder.pid}) works on this stack: waiting for it to finish`);
    await until(async () => (livingHolders(stack.name, project).length === 0 ? true : undefined), {
      signal,
      timeout: WAIT_SECONDS,
      onTimeout: () => lockedError(holder),
    });
  }
  if (lockHolders(stack.name, project).length === 0) return;
  progress("removing the lock of a run that was killed");
  await stack.cancel();
}

/** For commands that do not wait. @throws StepError where an engine works on the stack */
export function assertUnlocked(stack: string, project: string): void {
  const [holder] = livingHolders(stack, project);
  if (holder) throw lockedError(holder);
}

function livingHolders(stack: string, project: string): LockHolder[] {
  return lockHolders(stack, project).filter((holder) => holder.hostname !== hostname() || isPulumi(holder.pid));
}

/** Process id of the engine that works on this stack on this computer. */
export function engineProcess(stack: string, project: string): number | undefined {
  return lockHolders(stack, project).find((holder) => holder.hostname === hostname() && isPulumi(holder.pid))?.pid;
}

/** Empty for other backends, which report a lock themselves. */
function lockHolders(stack: string, project: string): LockHolder[] {
  const root = backendFolder();
  const folder = root && join(root, "locks", "organization", project, stack);
  if (!folder || !existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => read(join(folder, name)));
}

function read(file: string): LockHolder[] {
  try {
    return [JSON.parse(readFileSync(file, "utf8")) as LockHolder];
  } catch {
    return []; // released in the meantime
  }
}

/** Process ids are reused, and a killed process may remain as a zombie: /proc has the name and the state. */
function isPulumi(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  if (!existsSync("/proc/self/stat")) return true;
  try {
    return /^\d+ \(pulumi.*\) [^ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false; // ended in the meantime
  }
}

function lockedError({ username, timestamp, pid, hostname: host }: LockHolder): StepError {
  return new StepError({
    step: "locking the stack",
    cause: `${username} has been working on it since ${timestamp} (process ${pid} on ${host})`,
    action: "wait for that run to finish, or if it no longer exists run `pulumi cancel`",
  });
}
