import { StepError } from "../../common/errors";
import { template } from "../../render/template";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

/** Seconds for cloud-init to end; it may install packages that the person's own user data asks for. */
const TIMEOUT = 900;
/** cloud-init's own exit code for an end with errors that it could live with. */
const DEGRADED = 2;

/**
 * A cloud's machine answers SSH while cloud-init is still at work on it: packages, users and mounts are not to be relied upon before its end.
 * @throws StepError with the end of its log, where it failed.
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
    action: "mend the user data or the image, and make the machine anew",
  });
}
