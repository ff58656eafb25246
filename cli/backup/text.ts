import { describeDuration } from "../../common/duration";
import type { SnapshotContent } from "../../provider/backup/snapshot-content";
import { table } from "../terminal/text";
import type { StoredBackup } from "../../provider/backup/repository";
import { userCommand } from "../../common/user-command";

/** `revision 1234, hash 2132637669, 310 keys` */
export function describeKeys({ revision, hash, keys }: SnapshotContent): string {
  const count = Object.values(keys).reduce((sum, one) => sum + one, 0);
  return `revision ${revision}, hash ${hash}, ${count} keys`;
}

/** The time from then, an ISO 8601 text, to now in milliseconds: `3 minutes`, `5 hours`, `2 days`. */
export function describeAge(then: string, now: number): string {
  return describeDuration(Math.max(0, now - Date.parse(then)));
}

export function backupTable(backups: readonly StoredBackup[], now: number): string {
  if (backups.length === 0) return `There is no backup yet: \`${userCommand("backup")}\` creates one.`;
  const rows = backups.map(({ id, time, node, size }) => [
    ...[id, `${time.slice(0, 19)}Z`, describeAge(time, now), node],
    size === undefined ? "" : `${(size / 1e6).toFixed(1)} MB`,
  ]);
  return table([["BACKUP", "TIME", "AGE", "CONTROL PLANE", "SIZE"], ...rows]).join("\n");
}
