import { chmod, chown, mkdir, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { withLock } from "../../common/lock";
import { localPath } from "../../common/portable-path";
import type { Progress } from "../../common/progress";

/** Returns the text of a file; undefined where there is none. */
export async function readText(path: string): Promise<string | undefined> {
  return await readFile(localPath(path), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/** Replaces the file in one step. It keeps its mode and its owner; a symbolic link stays one. */
export async function writeText(path: string, content: string): Promise<void> {
  const target = await realpath(localPath(path)).catch(() => localPath(path));
  const before = await stat(target).catch(() => undefined);
  const temporary = `${target}.${process.pid}.new`;
  await writeFile(temporary, content, { mode: 0o600 });
  if (before) {
    await chown(temporary, before.uid, before.gid).catch(() => undefined); // only root can give a file away
    await chmod(temporary, before.mode & 0o777);
  }
  await rename(temporary, target);
}

/** Holds the lock that kubectl uses as well, so that no change of another process to the file is lost. */
export async function changeFile<T>(
  { status, signal }: { status: Progress; signal: AbortSignal },
  path: string,
  change: () => Promise<T>,
): Promise<T> {
  const file = localPath(path);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  return await withLock(file, { task: `change ${path}`, progress: status, signal }, change);
}
