import { openBackups } from "../backup/context";
import { takeBackup } from "../backup/take-backup";
import { describeKeys } from "../backup/text";
import { withStack } from "../engine/stack-session";
import type { Options } from "../terminal/options";
import { seconds } from "../terminal/text";

/** `npm run backup`: backs up the cluster's state. */
export async function run(options: Options): Promise<number> {
  return await withStack(options, "backup", async (stack, session) => {
    const start = Date.now();
    const context = await openBackups(stack, session);
    const { id, facts } = await takeBackup(context);
    session.screen.close();
    process.stdout.write(
      `Backup ${id} of ${facts.time} is stored in ${context.repository.address}, after ${seconds(start)}.\n` +
        `It was restored into a scratch etcd on ${facts.node}: ${describeKeys(facts.content)}.\n`,
    );
    return 0;
  });
}
