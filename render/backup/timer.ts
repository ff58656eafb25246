import { commandLine, quote } from "../../common/quote";
import { FORMER_AUTHORITIES } from "../component-paths";
import { ETCDCTL } from "../etcdctl";
import { leaseScript } from "../lease";
import { readableFiles, type NodeFiles } from "../node-files";
import { template } from "../template";
import { timerResultScript } from "../timer-result";
import { ACCESS_FOLDER, RESTIC } from "./access";
import { AUTHORITY_FILES, CONFIG_MAPS, PATHS_OF_KUBEADM } from "./content";
import { BACKUP_FOLDER } from "./etcd-programs";
import { resticFunctions } from "./machine-restic";
import { saveSnapshotScript, SNAPSHOTS } from "./save-snapshot";
import { liveHashScript, readSnapshotScript, SEPARATOR } from "./scratch-etcd";

/** Timer on each control plane that backs up the cluster, and the service that it starts. */
export const BACKUP_TIMER = "kubewright-backup.timer";
export const BACKUP_SERVICE = "kubewright-backup.service";
export const BACKUP_TIMER_FOLDER = "/etc/kubewright/backup";
export const BACKUP_SCRIPT = `${BACKUP_TIMER_FOLDER}/backup.sh`;

/** Timer on each control plane that tries the newest backup, as `BACKUP_TIMER` does otherwise. */
export const DRILL_TIMER = "kubewright-backup-drill.timer";
export const DRILL_SERVICE = "kubewright-backup-drill.service";
export const DRILL_SCRIPT = `${BACKUP_TIMER_FOLDER}/drill.sh`;

/**
 * How the timer's last run ended: `failed 2026-11-27T06:00:00Z`, and the reason in the next line. The states are `ok`,
 * `postponed` (another control plane was working all the time), `running` and `failed`.
 */
export const BACKUP_RESULT = `${BACKUP_FOLDER}/scheduled`;
export const DRILL_RESULT = `${BACKUP_FOLDER}/scheduled-drill`;

/** Seconds after which systemd ends a run. */
export const BACKUP_LIMIT = 14_400;
/**
 * A run renews the Lease every minute, so that of a control plane that was lost is free after five. Another run waits
 * for it as long as a run usually takes at most, because its control plane may be lost later.
 */
const LEASE = { name: "kubewright-backup", duration: 300, wait: 7_200 };

/** How many backups are kept, by the name of restic's option. */
export type KeptBackups = Readonly<Record<"last" | "hourly" | "daily" | "weekly", number>>;

export interface BackupTimerSettings {
  /** Name of the control plane's node. */
  node: string;
  /** Name of the stack. */
  stack: string;
  /** When a backup is taken, a calendar of systemd: `daily`, `*-*-* 03:00`. */
  schedule: string;
  /** The repository's address, as restic reads it on the control plane. */
  repository: string;
  /** Options of restic that name the files of the access. */
  options: readonly string[];
  keep: KeptBackups;
}

/** Renders the timer that backs up the cluster from a control plane, and its scripts. They contain no secret. */
export function backupTimerFiles(settings: BackupTimerSettings): NodeFiles {
  return {
    ...readableFiles(BACKUP_TIMER_FOLDER, { ...scripts(settings), settings: settingsFile(settings) }),
    ...unitFiles({
      ...{ service: BACKUP_SERVICE, timer: BACKUP_TIMER, script: BACKUP_SCRIPT },
      ...{ task: "Backs up the state of the cluster", schedule: settings.schedule },
    }),
  };
}

/**
 * Renders the timer that tries the newest backup on a control plane, and its script. It uses the scripts of the timer
 * that backs up the cluster.
 * @param schedule when, a calendar of systemd: `weekly`
 */
export function drillTimerFiles(schedule: string): NodeFiles {
  const script = template("backup/drill.sh", {
    ...{ FOLDER: BACKUP_TIMER_FOLDER, STATE: BACKUP_FOLDER, RESULT: DRILL_RESULT },
  });
  return {
    ...readableFiles(BACKUP_TIMER_FOLDER, { "drill.sh": script }),
    ...unitFiles({
      ...{ service: DRILL_SERVICE, timer: DRILL_TIMER, script: DRILL_SCRIPT },
      ...{ task: "Tries the newest backup of the cluster", schedule },
    }),
  };
}

interface TimerUnits {
  /** Names of the units. */
  service: string;
  timer: string;
  /** Path of the script. */
  script: string;
  /** What the script does. */
  task: string;
  schedule: string;
}

function unitFiles({ service, timer, script, task, schedule }: TimerUnits): NodeFiles {
  return readableFiles("/etc/systemd/system", {
    [service]: template(`backup/${BACKUP_SERVICE}`, { TASK: task, SCRIPT: script, LIMIT: String(BACKUP_LIMIT) }),
    [timer]: template(`backup/${BACKUP_TIMER}`, { TASK: task, SCHEDULE: schedule }),
  });
}

function scripts({ options }: BackupTimerSettings): Record<string, string> {
  return {
    "backup.sh": template("backup/backup.sh", {
      FOLDER: BACKUP_TIMER_FOLDER,
      STATE: BACKUP_FOLDER,
      RESULT: BACKUP_RESULT,
      SNAPSHOT: `${SNAPSHOTS}/scheduled.db`,
    }),
    "result.sh": timerResultScript(),
    "run.sh": template("backup/run.sh"),
    "content.sh": template("backup/content.sh", {
      CONFIG_MAPS: commandLine(CONFIG_MAPS),
      OF_KUBEADM: quote(PATHS_OF_KUBEADM.join(":")),
      AUTHORITIES: commandLine(AUTHORITY_FILES.map(relative)),
      FORMER: relative(FORMER_AUTHORITIES),
      SEPARATOR,
    }),
    "repository.sh": resticFunctions(options),
    "lease.sh": leaseScript(LEASE),
    "etcd-health.sh": `${ETCDCTL}\netcdctl endpoint health\n`,
    "save-snapshot.sh": `${saveSnapshotScript('"$1"')}\n`,
    "read-snapshot.sh": `set -e\n${readSnapshotScript('"$1"')}\n`,
    "live-hash.sh": `${liveHashScript('"$1"')}\n`,
  };
}

/** Returns a path as tar takes it with `-C /`. */
function relative(path: string): string {
  return path.slice(1);
}

function settingsFile({ node, stack, schedule, repository, keep }: BackupTimerSettings): string {
  const options = Object.entries(keep).flatMap(([name, count]) => (count === 0 ? [] : [`--keep-${name} ${count}`]));
  const values = {
    node,
    stack,
    schedule,
    repository,
    tag: `stack=${stack}`,
    keep: options.join(" "),
    access: ACCESS_FOLDER,
    restic: RESTIC,
    programs: repository.startsWith("sftp:") ? "ssh" : "",
  };
  const lines = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`);
  return `# Written by Kubewright.\n${lines.join("\n")}\n`;
}
