import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { lock } from "proper-lockfile";
import { StepError } from "./errors";
import type { Progress } from "./progress";
import { until } from "./wait";

/** Longest wait for another run, in seconds. The slowest single build takes minutes. */
const TIMEOUT_S = 3600;

export interface LockOptions {
  /**
   * What the lock protects, as verb and object: `build kubelet 1.36.3`. For the message while waiting, and for the
   * error.
   */
  task: string;
  progress: Progress;
  signal: AbortSignal;
  /** Milliseconds without renewal after which the lock of a killed run is taken over, at least 2,000. @default 15000 */
  stale?: number | undefined;
}

/**
 * Runs `work` while no other process, and no other call in this one, holds the lock at `path`.
 * @throws StepError when another run still holds it after an hour
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const release = await acquire(path, options);
  try {
    return await work();
  } finally {
    // Fails if this machine slept longer than `stale` and another run took the lock over. Work under a lock is safe to
    // repeat.
    await release().catch(() => undefined);
  }
}

/** Path of a lock that all runs of this user share. */
export function userLock(name: string): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "kubewright", "locks", name);
}

async function acquire(path: string, { task, progress, signal, stale }: LockOptions): Promise<() => Promise<void>> {
  let waiting = false;
  const attempt = async () => {
    const release = await tryLock(path, stale ?? 15_000);
    if (!release && !waiting) progress(`waiting for another run to ${task}`);
    waiting = true;
    return release;
  };
  const onTimeout = () =>
    new StepError({
      step: task,
      cause: `another run has held ${path}.lock for an hour`,
      action: "stop that run, or try again later",
    });
  return await until(attempt, { signal, timeout: TIMEOUT_S, onTimeout });
}

async function tryLock(path: string, stale: number): Promise<(() => Promise<void>) | undefined> {
  try {
    // By default a lost lock ends the process.
    return await lock(path, { realpath: false, stale, update: stale / 2, retries: 0, onCompromised: () => undefined });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOCKED") return undefined;
    throw error;
  }
}
