import { HOUR_MS } from "../../common/duration";
import { userCommand } from "../../common/user-command";
import type { BackupSettings } from "../../components/config";
import { readStamps, type Stamp, type StampKind } from "../../provider/backup/stamps";
import { readTimerProblems } from "../../provider/host/timer-result";
import type { Remote } from "../../provider/ssh/remote";
import { BACKUP_LIMIT, BACKUP_RESULT, BACKUP_SERVICE, DRILL_RESULT, DRILL_SERVICE } from "../../render/backup/timer";
import { describeAge } from "./text";

/** systemd ends a run of a timer after its limit. */
const longest = BACKUP_LIMIT * 1000 + HOUR_MS;
const BACKUPS = { service: BACKUP_SERVICE, result: BACKUP_RESULT, longest };
const DRILLS = { service: DRILL_SERVICE, result: DRILL_RESULT, longest };

/** When the last backup and the last drill succeeded. */
export interface BackupStatus {
  /** Absent where no control plane has recorded one. */
  backup?: Stamp;
  drill?: Stamp;
  /** What is too old, or does not exist, and the runs of the timer that failed. */
  problems: string[];
}

/** Reads when the last backup and the last drill succeeded, and compares their ages with the configured limits. */
export async function readBackupStatus(
  { maxAge, maxDrillAge, schedule, drillSchedule }: BackupSettings,
  controlPlanes: readonly Remote[],
  { signal, now = Date.now() }: { signal: AbortSignal; now?: number },
): Promise<BackupStatus> {
  const timers = [...(schedule === undefined ? [] : [BACKUPS]), ...(drillSchedule === undefined ? [] : [DRILLS])];
  const [stamps, ...failures] = await Promise.all([
    readStamps(controlPlanes, signal),
    ...timers.map((timer) => readTimerProblems(controlPlanes, timer, { signal, now })),
  ]);
  const limits: readonly [StampKind, number, string][] = [
    ["backup", maxAge, userCommand("backup")],
    ["drill", maxDrillAge, userCommand("backup drill")],
  ];
  const problems = limits.flatMap(([kind, hours, command]) => {
    const stamp = stamps[kind];
    if (!stamp) return [`there has been no ${kind}: run \`${command}\``];
    if (now - Date.parse(stamp.time) <= hours * HOUR_MS) return [];
    return [`the last ${kind} is ${describeAge(stamp.time, now)} old, more than ${hours} hours: run \`${command}\``];
  });
  return { ...stamps, problems: [...problems, ...failures.flat()] };
}

/** `65c64ecf, 2 hours ago; drill of 65c64ecf, 3 days ago` */
export function backupLine({ backup, drill }: BackupStatus, now = Date.now()): string {
  const text = (stamp: Stamp | undefined, prefix = "") =>
    stamp ? `${prefix}${stamp.id}, ${describeAge(stamp.time, now)} ago` : undefined;
  return [text(backup) ?? "none", text(drill, "drill of ") ?? "no drill"].join("; ");
}
