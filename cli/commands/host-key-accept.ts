import { recordRecoverySettings } from "../engine/recovery-settings";
import { changeStackConfig } from "../engine/stack-config";
import { withStack } from "../engine/stack-session";
import { machineState } from "../engine/state";
import { PROJECT } from "../engine/project-folder";
import { stackCommand, type Options } from "../terminal/options";

/** `npm run host-key:accept -- worker-2 SHA256:...`: accepts the changed SSH host key of a machine. */
export async function run(options: Options): Promise<number> {
  const [machine = "", fingerprint = ""] = options.words;
  return await withStack(options, "host-key accept", async (stack, session) => {
    await machineState(stack, machine); // refuses a name that the stack does not have
    await changeStackConfig(stack, { [`recovery.acceptHostKeys["${machine}"]`]: fingerprint });
    await recordRecoverySettings(stack, PROJECT);
    session.screen.close();
    process.stdout.write(
      `The host key ${fingerprint} of ${machine} is accepted (recovery.acceptHostKeys in the configuration): ` +
        `\`${stackCommand("up", options.stack)}\` connects with it.\n`,
    );
    return 0;
  });
}
