import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import type { Progress } from "../../common/progress";
import { attempt, failure, type CommandOptions, type Outcome } from "../docker/command";
import { withLock } from "../../common/user-lock";

/** A VM may have to be copied, booted and updated; beyond this it hangs. */
const LONGEST_SECONDS = 1800;

/** Runs `vagrant` where a Vagrantfile is. No word of it leaves this computer that the person did not ask for, and nothing prompts. */
export async function attemptVagrant(file: string, args: readonly string[], options: CommandOptions): Promise<Outcome> {
  const env = {
    VAGRANT_CHECKPOINT_DISABLE: "1",
    VAGRANT_NO_COLOR: "1",
    VAGRANT_VAGRANTFILE: basename(file),
    // Disks of another size than the box's are still called experimental by Vagrant 2.
    VAGRANT_EXPERIMENTAL: "disks",
  };
  return await attempt("vagrant", args, {
    timeout: LONGEST_SECONDS,
    wholeGroup: true,
    cwd: dirname(file),
    ...options,
    env: { ...env, ...options.env },
  });
}

/** @throws StepError where it does not exit with 0 */
export async function vagrant(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const outcome = await attemptVagrant(file, args, options);
  if (outcome.code === 0) return outcome.stdout;
  throw failure("vagrant", outcome, options);
}

/** What changes machines of a Vagrantfile is done by one run at a time: Vagrant locks machines, and fails instead of waiting. */
export async function alone<T>(
  file: string,
  progress: Progress,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const name = `vagrant-${createHash("sha256").update(file).digest("hex").slice(0, 12)}`;
  return await withLock(name, signal, () => progress("another run works with this Vagrantfile"), work);
}
