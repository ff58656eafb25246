import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lock } from "proper-lockfile";

const LOOK_AGAIN_MS = 300;
/** A lock that was not renewed for so long is a dead run's. */
const STALE_MS = 15_000;

/** Runs `work` while no other run of this user does work of the same name; `onWait` is called once if there is one. */
export async function withLock<T>(
  name: string,
  signal: AbortSignal,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const release = await acquire(name, signal, onWait);
  try {
    return await work();
  } finally {
    await release().catch(() => undefined);
  }
}

async function acquire(name: string, signal: AbortSignal, onWait: () => void): Promise<() => Promise<void>> {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "kubewright", "locks");
  await mkdir(folder, { recursive: true });
  for (let waits = 0; ; waits++) {
    try {
      // A suspended laptop may lose its lock. What is locked here is safe to do twice, and by default the whole process would die of it.
      return await lock(join(folder, name), { realpath: false, stale: STALE_MS, onCompromised: () => undefined });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
    }
    if (waits === 0) onWait();
    await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
