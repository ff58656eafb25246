import { readFileSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Files that may hold a secret are small; caches and archives are not read. */
const LARGEST = 1 << 20;

/** Returns the paths of all files below a folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Reads the temporary files of Kubewright and Pulumi that were written since a time. */
export function readTemporaryFiles(since: number): string[] {
  const isRecent = (file: string) => {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats !== undefined && stats.mtimeMs > since && stats.size < LARGEST;
  };
  return readdirSync(tmpdir(), { withFileTypes: true })
    .filter(({ name }) => /kubewright|pulumi|automation/i.test(name) && !/-(sshd|emulator)-/.test(name))
    .flatMap((entry) => {
      const path = join(tmpdir(), entry.name);
      return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
    })
    .filter(isRecent)
    .map((file) => readFileSync(file, "utf8"));
}
