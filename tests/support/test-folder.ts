import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, lock, unlock } from "proper-lockfile";

/** Milliseconds after which a lock that is not renewed belongs to a run that has ended. */
const STALE_MS = 600_000;

const lockOptions = (folder: string) => ({ lockfilePath: join(folder, ".lock"), realpath: false, stale: STALE_MS });

/**
 * Creates a folder for a test run, and first removes those of the same name that killed runs have left. The folder of
 * a living run is locked, and stays. The name must not be that of a `TestStack`, whose folder has no lock.
 */
export async function createTestFolder(name: string, parent = tmpdir()): Promise<string> {
  await removeLeftovers(name, parent);
  const folder = await mkdtemp(join(parent, `kubewright-${name}-`));
  await lock(folder, { ...lockOptions(folder), update: STALE_MS / 10, onCompromised: () => undefined });
  return folder;
}

/** Removes the folder. An empty path is that of a run that has not created one. */
export async function removeTestFolder(folder: string): Promise<void> {
  if (folder === "") return;
  await unlock(folder, lockOptions(folder)).catch(() => undefined); // the folder may be gone
  await rm(folder, { recursive: true, force: true });
}

async function removeLeftovers(name: string, parent: string): Promise<void> {
  const isOfName = new RegExp(`^kubewright-${name}-[A-Za-z0-9]{6}$`);
  const folders = (await readdir(parent)).filter((entry) => isOfName.test(entry)).map((entry) => join(parent, entry));
  for (const folder of folders)
    if (await isLeftover(folder)) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
}

/** Whether no living run has the folder. A run that starts locks its folder a moment after it has created it. */
async function isLeftover(folder: string): Promise<boolean> {
  const isLocked = await check(folder, lockOptions(folder)).catch(() => true);
  const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }));
  return !isLocked && Date.now() - mtimeMs > STALE_MS;
}
