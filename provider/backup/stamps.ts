import { z } from "zod";
import { parseJson } from "../../common/json";
import { optional } from "../../common/optional";
import { readContents, textFile, writeFiles } from "../host/files";
import type { Remote } from "../ssh/remote";
import { BACKUP_FOLDER } from "./etcd-programs";

const stampSchema = z.object({
  /** Id of the backup. */
  id: z.string(),
  /** When it succeeded, ISO 8601. */
  time: z.iso.datetime(),
});
export type Stamp = z.infer<typeof stampSchema>;
export type StampKind = "backup" | "drill";

const pathOf = (kind: StampKind) => `${BACKUP_FOLDER}/last-${kind}.json`;

/** Records on a control plane that a backup or a drill succeeded. Every `npm run status` reads it there. */
export async function writeStamp(machine: Remote, kind: StampKind, stamp: Stamp, signal: AbortSignal): Promise<void> {
  const file = textFile(pathOf(kind), `${JSON.stringify(stamp)}\n`, "0644");
  await writeFiles(machine, [file], `recording the last ${kind}`, signal);
}

/** Returns the newest stamps of the control planes; absent where none has one. */
export async function readStamps(
  machines: readonly Remote[],
  signal: AbortSignal,
): Promise<Partial<Record<StampKind, Stamp>>> {
  const paths = [pathOf("backup"), pathOf("drill")];
  const contents = await Promise.all(
    machines.map((machine) =>
      readContents(machine, paths, signal).catch(() => {
        signal.throwIfAborted();
        return new Map<string, string>();
      }),
    ),
  );
  const newest = (kind: StampKind) =>
    contents
      .flatMap((files) => stampSchema.safeParse(parseJson(files.get(pathOf(kind)) ?? "")).data ?? [])
      .sort((one, other) => one.time.localeCompare(other.time))
      .at(-1);
  return optional({ backup: newest("backup"), drill: newest("drill") });
}
