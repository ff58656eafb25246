import { z } from "zod";
import { parseJson } from "../../common/json";
import { readContents, textFile, writeFiles } from "../host/files";
import type { Remote } from "../ssh/remote";
import { BACKUP_FOLDER } from "../../render/backup/etcd-programs";

const FILE = `${BACKUP_FOLDER}/restore-from.json`;

const recordSchema = z.object({
  /** Id of the backup. */
  id: z.string(),
  /** When the backup was taken, ISO 8601. */
  time: z.string(),
  /** `placing`: its files may be incomplete. `placed`: all of them are on the machine. */
  phase: z.enum(["placing", "placed"]),
});

/** What a control plane knows of the restore that creates its cluster. It exists until that cluster was proved. */
export type RestoreRecord = z.infer<typeof recordSchema>;

export async function readRecord(machine: Remote, signal: AbortSignal): Promise<RestoreRecord | undefined> {
  const contents = await readContents(machine, [FILE], signal);
  return recordSchema.safeParse(parseJson(contents.get(FILE) ?? "")).data;
}

export async function writeRecord(machine: Remote, record: RestoreRecord, signal: AbortSignal): Promise<void> {
  await writeFiles(machine, [textFile(FILE, JSON.stringify(record), "0600")], "recording the restore", signal);
}

export async function removeRecord(machine: Remote, signal: AbortSignal): Promise<void> {
  await machine.run(`rm -f ${FILE}`, { step: "recording the end of the restore", signal });
}
