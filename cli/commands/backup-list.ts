import { openBackups } from "../backup/context";
import { backupTable } from "../backup/text";
import { requireStack } from "../engine/cluster-api";
import { withSession } from "../engine/session";
import { prepareEngine } from "../engine/workspace";
import type { Options } from "../terminal/options";

/** `npm run backup:list`: lists the backups in the repository. It changes nothing, so it needs no lock. */
export async function run(options: Options): Promise<number> {
  return await withSession(options.stack, async (session) => {
    await prepareEngine(session.progress, session.signal);
    const stack = await requireStack(options.stack);
    const { repository } = await openBackups(stack, session);
    const backups = await repository.list();
    session.screen.close();
    const text = options.flags.has("json") ? JSON.stringify(backups, undefined, 2) : backupTable(backups, Date.now());
    process.stdout.write(`${text}\n`);
    return 0;
  });
}
