import { openBackups } from "../backup/context";
import { drillBackup } from "../backup/drill";
import { describeKeys } from "../backup/text";
import { withStack } from "../engine/stack-session";
import type { Options } from "../terminal/options";
import { seconds } from "../terminal/text";

/** `npm run backup:drill`: proves that a backup can be restored, in a scratch etcd. */
export async function run(options: Options): Promise<number> {
  return await withStack(options, "backup:drill", async (stack, session) => {
    const start = Date.now();
    const { id, facts, machine } = await drillBackup(
      await openBackups(stack, session),
      options.values.from ?? "latest",
    );
    session.screen.close();
    process.stdout.write(
      `Backup ${id} of ${facts.time} can be restored: a scratch etcd on ${machine} has everything that was recorded, ` +
        `${describeKeys(facts.content)}. The drill took ${seconds(start)}.\n`,
    );
    return 0;
  });
}
