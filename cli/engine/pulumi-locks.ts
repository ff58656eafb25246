import { existsSync, readFileSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { until } from "../../common/wait";
import { backendFolder } from "./paths";

const WAIT_SECONDS = 3600;

/** What Pulumi's file backend writes while it works on a stack. */
interface Holder {
  pid: number;
  hostname: string;
  username: string;
  timestamp: string;
}

/**
 * A run that was killed leaves its lock behind: that lock is removed. A run that lives is waited for; so is the engine of a
 * killed run, which goes on for a while without its parent.
 */
export async function freeLocks(stack: Stack, project: string, progress: Progress, signal: AbortSignal): Promise<void> {
  const look = () => lockHolders(stack.name, project);
  const living = () => livingHolders(stack.name, project);
  const first = living()[0];
  if (first) {
    if (first.hostname !== hostname()) throw heldBy(first);
    progress(`another run (process ${first.pid}) is at work on this stack; waiting for its end`);
    await until(async () => (living().length === 0 ? true : undefined), {
      signal,
      timeout: WAIT_SECONDS,
      onTimeout: () => heldBy(first),
    });
  }
  if (look().length === 0) return;
  progress("a run was killed and left its lock behind; removing the lock");
  await stack.cancel();
}

/** For commands that do not wait: says who works on the stack. */
export function refuseLocked(stack: string, project: string): void {
  const [holder] = livingHolders(stack, project);
  if (holder) throw heldBy(holder);
}

function livingHolders(stack: string, project: string): Holder[] {
  return lockHolders(stack, project).filter((holder) => holder.hostname !== hostname() || isPulumi(holder.pid));
}

/** The engine at work on this stack on this machine. */
export function engineProcess(stack: string, project: string): number | undefined {
  return lockHolders(stack, project).find((holder) => holder.hostname === hostname() && isPulumi(holder.pid))?.pid;
}

function lockHolders(stack: string, project: string): Holder[] {
  const root = backendFolder();
  const folder = root && join(root, "locks", "organization", project, stack);
  if (!folder || !existsSync(folder)) return []; // other backends say themselves who holds a lock
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => read(join(folder, name)));
}

function read(file: string): Holder[] {
  try {
    return [JSON.parse(readFileSync(file, "utf8")) as Holder];
  } catch {
    return []; // released between the two looks
  }
}

/** Process numbers are used again, and a killed process whose parent does not look lives on as a zombie: /proc tells. */
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
    return false; // it ended between the two looks
  }
}

function heldBy(holder: Holder): StepError {
  return new StepError({
    step: "locking the stack",
    cause: `it is locked: ${holder.username} works on it since ${holder.timestamp} (process ${holder.pid} on ${holder.hostname})`,
    action: "wait for that run, or if it no longer exists run `pulumi cancel`",
  });
}
