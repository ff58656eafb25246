import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hiddenFolder } from "./paths";

/**
 * Runs `work` with a folder for temporary files that only this user can read, and removes the folder at the end, also
 * after a failure. For libraries that write secrets to the common folder for temporary files.
 */
export async function withPrivateTemp<T>(work: () => Promise<T>): Promise<T> {
  mkdirSync(hiddenFolder(), { recursive: true });
  const folder = mkdtempSync(join(hiddenFolder(), "state-"));
  chmodSync(folder, 0o700);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(folder, { recursive: true, force: true });
  }
}
