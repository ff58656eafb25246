import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import type { Progress } from "../../common/progress";
import { userLock, withLock } from "../../common/lock";
import { commandError, tryCommand, type CommandOptions, type Outcome } from "../../common/process";

/** Default time limit: enough to copy, boot and update a virtual machine. */
const TIMEOUT_SECONDS = 1800;

/** Runs `vagrant` in the folder of a Vagrantfile, without prompts and update checks. */
export async function tryVagrant(file: string, args: readonly string[], options: CommandOptions): Promise<Outcome> {
  const env = {
    VAGRANT_CHECKPOINT_DISABLE: "1",
    VAGRANT_NO_COLOR: "1",
    VAGRANT_VAGRANTFILE: basename(file),
    // Vagrant 2 still treats changing a disk's size as experimental.
    VAGRANT_EXPERIMENTAL: "disks",
  };
  return await tryCommand("vagrant", args, {
    timeout: TIMEOUT_SECONDS,
    stopGroupWith: "SIGINT",
    cwd: dirname(file),
    ...options,
    env: { ...env, ...options.env },
  });
}

/** Runs `vagrant` and returns its stdout. @throws StepError when it does not exit with 0 */
export async function runVagrant(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const outcome = await tryVagrant(file, args, options);
  if (outcome.code === 0) return outcome.stdout;
  throw commandError("vagrant", outcome, options);
}

/**
 * Runs `work` while no other run changes machines of this Vagrantfile. Vagrant's own locks make it fail instead of
 * wait.
 */
export async function withVagrantLock<T>(
  file: string,
  progress: Progress,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const name = `vagrant-${createHash("sha256").update(file).digest("hex").slice(0, 12)}`;
  return await withLock(userLock(name), { task: "change machines of this Vagrantfile", progress, signal }, work);
}
