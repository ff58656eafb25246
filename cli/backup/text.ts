import type { SnapshotContent } from "../../provider/backup/snapshot-content";
import { pluralize, table } from "../terminal/text";
import type { StoredBackup } from "./repository";
import { userCommand } from "../../common/user-command";

const HOUR_MS = 3_600_000;

/** `revision 1234, hash 2132637669, 310 keys` */
export function describeKeys({ revision, hash, keys }: SnapshotContent): string {
  const count = Object.values(keys).reduce((sum, one) => sum + one, 0);
  return `revision ${revision}, hash ${hash}, ${count} keys`;
}

/** `3 minutes`, `5 hours`, `2 days` */
export function describeAge(time: string, now: number): string {
  const hours = (now - Date.parse(time)) / HOUR_MS;
  if (hours < 2) return pluralize(Math.max(0, Math.round(hours * 60)), "minute");
  return hours < 48 ? pluralize(Math.round(hours), "hour") : pluralize(Math.round(hours / 24), "day");
}

export function backupTable(backups: readonly StoredBackup[], now: number): string {
  if (backups.length === 0) return `There is no backup yet: \`${userCommand("backup")}\` creates one.`;
  const rows = backups.map(({ id, time, node, size }) => [
    ...[id, `${time.slice(0, 19)}Z`, describeAge(time, now), node],
    size === undefined ? "" : `${(size / 1e6).toFixed(1)} MB`,
  ]);
  return table([["BACKUP", "TIME", "AGE", "CONTROL PLANE", "SIZE"], ...rows]).join("\n");
}
