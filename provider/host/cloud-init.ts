import { StepError } from "../../common/errors";
import { template } from "../../render/template";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

/** Seconds for cloud-init to end. It may install packages from the user's own user data. */
const TIMEOUT = 900;
/** cloud-init's exit code after recoverable errors. */
const DEGRADED = 2;

/**
 * Waits until cloud-init has ended. A cloud's machine answers SSH before that, while its packages, users and mounts are
 * not complete.
 * @throws StepError with the end of its log, if it failed
 */
export async function cloudInitDone(context: Context, machine: Remote): Promise<void> {
  const step = "cloud-init";
  const onLine = (line: string) => line === "waiting" && context.status("waiting for cloud-init");
  const { code, stdout, stderr } = await machine.run(template("host/cloud-init.sh"), {
    step,
    signal: context.signal,
    timeout: TIMEOUT,
    accept: [0, 1, DEGRADED],
    onLine,
  });
  if (code === 0) return;
  const said = `${stdout.replace(/^waiting\n/, "")}${stderr}`.trim();
  if (code === DEGRADED) return context.warn(`cloud-init ended with errors: ${said}`);
  throw new StepError({
    step,
    machine: machine.label,
    cause: `it failed on the machine:\n${said}`,
    action: "fix the user data or the image, and recreate the machine",
  });
}
