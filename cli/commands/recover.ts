import { userCommand } from "../../common/user-command";
import { withStack } from "../engine/stack-session";
import { planRecovery, recover, recoveryText } from "../nodes/recover";
import { nodeArgument, stackCommand, type Options } from "../terminal/options";
import { confirm } from "../terminal/prompt";
import { seconds } from "../terminal/text";

/**
 * `npm run recover -- control-plane-3`: makes etcd a cluster of one on a control plane that is left, when a majority of
 * the members is lost for good.
 */
export async function run(options: Options): Promise<number> {
  const name = nodeArgument(options);
  const command = userCommand("recover", name);
  const afterInterrupt = `etcd's data is put back; after a killed command, run \`${command}\` again`;
  return await withStack(
    options,
    "recover",
    async (stack, session) => {
      const recovery = await planRecovery(stack, session, name);
      session.screen.close();
      process.stdout.write(`\n${recoveryText(recovery)}`);
      if (options.flags.has("plan")) return 0;
      if (!options.flags.has("yes") && !(await confirm(`Recover etcd on ${name}?`, session.signal))) return 1;
      const start = Date.now();
      const copy = await recover(session, recovery);
      process.stdout.write(
        `\netcd runs on ${name} alone, after ${seconds(start)}. Its previous data is ${copy} there: ` +
          "delete it later.\n" +
          `\`${stackCommand("up", stack.name, "--refresh")}\` rebuilds ${recovery.lost.join(" and ")}.\n`,
      );
      return 0;
    },
    afterInterrupt,
  );
}
