import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { lock } from "proper-lockfile";
import { until } from "./wait";

/** Longest wait for another run, in seconds: the slowest single build is minutes. */
const PATIENCE_S = 3600;

export interface LockOptions {
  signal: AbortSignal;
  /** Called once, when another run holds the lock. */
  onWait: () => void;
  onTimeout: () => Error;
  /** Milliseconds after which a lock that nobody renews belongs to a dead run; default 10 s, and no less than 2 s. */
  stale?: number;
}

/**
 * Does the work while no other run (nor another call in this one) holds `path`.
 * A lock left by a killed run is taken over after `stale`.
 */
export async function whileLocked<T>(path: string, work: () => Promise<T>, options: LockOptions): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let waited = false;
  const release = await until(
    async () => {
      const taken = await tryLock(path, options.stale ?? 10_000);
      if (!taken && !waited) options.onWait();
      waited = true;
      return taken;
    },
    { signal: options.signal, timeout: PATIENCE_S, onTimeout: options.onTimeout },
  );
  try {
    return await work();
  } finally {
    // Gone already when this machine slept past `stale` and another run took over; its rename then decides, and both contents are equal.
    await release().catch(() => undefined);
  }
}

async function tryLock(path: string, stale: number): Promise<(() => Promise<void>) | undefined> {
  try {
    return await lock(path, { realpath: false, stale, update: stale / 2, retries: 0, onCompromised: () => undefined });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOCKED") return undefined;
    throw error;
  }
}
