import { StepError } from "../../common/errors";
import { template } from "../../render/template";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

/** Seconds. cloud-init may install packages from the user's own user data. */
const TIMEOUT = 900;
/** cloud-init's exit code after recoverable errors. */
const DEGRADED = 2;

/**
 * Waits until cloud-init has finished. A cloud machine accepts SSH connections earlier, before its packages, users and
 * mounts are complete.
 * @throws StepError with the end of cloud-init's log if it failed
 */
export async function waitForCloudInit(context: Context, machine: Remote): Promise<void> {
  const step = "cloud-init";
  const onLine = (line: string) => line === "waiting" && context.status("waiting for cloud-init");
  const { code, stdout, stderr } = await machine.run(template("host/cloud-init.sh"), {
    step,
    signal: context.signal,
    timeout: TIMEOUT,
    isReadOnly: true,
    accept: [0, 1, DEGRADED],
    onLine,
  });
  if (code === 0) return;
  const output = `${stdout.replace(/^waiting\n/, "")}${stderr}`.trim();
  if (code === DEGRADED) return context.warn(`cloud-init ended with errors: ${output}`);
  throw new StepError({
    step,
    machine: machine.label,
    cause: `it reports:\n${output}`,
    action: "fix the user data or the image, and recreate the machine",
  });
}
