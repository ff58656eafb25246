import { z } from "zod";
import { parseJson } from "../../common/json";
import { optional } from "../../common/optional";
import { timeoutSignal } from "../../common/timer";
import { readContents, textFile, writeFiles } from "../host/files";
import type { Remote } from "../ssh/remote";
import { BACKUP_FOLDER } from "../../render/backup/etcd-programs";

const stampSchema = z.object({
  /** Id of the backup. */
  id: z.string(),
  /** When it succeeded, ISO 8601. */
  time: z.iso.datetime(),
});
export type Stamp = z.infer<typeof stampSchema>;
export type StampKind = "backup" | "drill";

/** Milliseconds until a control plane that does not answer is left out. */
const LIMIT_MS = 20_000;

const pathOf = (kind: StampKind) => `${BACKUP_FOLDER}/last-${kind}.json`;

/**
 * Records on the control planes that a backup or a drill succeeded. Every `npm run status` reads it there, so it must
 * not be lost together with one of them.
 * @throws StepError where none could be written
 */
export async function writeStamps(
  machines: readonly Remote[],
  kind: StampKind,
  stamp: Stamp,
  signal: AbortSignal,
): Promise<void> {
  const file = textFile(pathOf(kind), `${JSON.stringify(stamp)}\n`, "0644");
  const limited = timeoutSignal(LIMIT_MS, signal);
  const writes = machines.map((machine) => writeFiles(machine, [file], `recording the last ${kind}`, limited));
  const results = await Promise.allSettled(writes);
  signal.throwIfAborted();
  const [failure] = results.filter((result) => result.status === "rejected");
  if (failure && results.every(({ status }) => status === "rejected")) throw failure.reason;
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
