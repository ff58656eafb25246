import { join } from "node:path";
import { StepError } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import { SNAPSHOT_FILE } from "../../render/backup/content";
import { isComplete } from "./collect";
import { readFacts, type BackupFacts } from "./facts";
import type { Repository } from "./repository";

/** Writes a backup's files to a folder, and checks that its snapshot is whole. */
export async function fetchBackup(repository: Repository, id: string, folder: string): Promise<BackupFacts> {
  await repository.fetch(id, folder);
  const facts = await readFacts(folder);
  if (await isComplete(join(folder, SNAPSHOT_FILE))) return facts;
  throw new StepError({
    step: "reading the backup",
    cause: `its snapshot is damaged: its checksum does not match`,
    action: `use another backup: \`${userCommand("backup list")}\` lists them`,
  });
}
