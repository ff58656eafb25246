import { quote } from "../../common/quote";
import { LOCK_SECONDS, saveSnapshotScript, SNAPSHOTS } from "../../render/backup/save-snapshot";
import type { Remote } from "../ssh/remote";

const SECONDS = 300;

/**
 * Saves a snapshot of etcd on the disk of a control plane before a change, and verifies it. A later snapshot of the
 * same name replaces it. Only etcd's data folder exists inside its container and outside. A command on another computer
 * may save one at the same time, such as a scheduled backup during an upgrade: they do so one after the other.
 * @param name what comes next: `before-worker-1-left`
 * @returns the snapshot's path
 */
export async function saveSnapshot(machine: Remote, name: string, signal: AbortSignal): Promise<string> {
  const path = `${SNAPSHOTS}/${name}.db`;
  await machine.run(saveSnapshotScript(quote(path)), {
    step: "saving a snapshot of etcd",
    signal,
    timeout: SECONDS + LOCK_SECONDS,
    action: "free space on the machine's disk, or wait for the other command, then run again",
  });
  return path;
}

/** Hours after which the command that has saved a snapshot for itself does not run any more. */
const ABANDONED_HOURS = 3;

/** Deletes the snapshots whose names begin so and that a killed command has left. */
export async function deleteAbandonedSnapshots(machine: Remote, prefix: string, signal: AbortSignal): Promise<void> {
  const old = `-name ${quote(`${prefix}*.db`)} -mmin +${ABANDONED_HOURS * 60}`;
  const script = `[ ! -d ${SNAPSHOTS} ] || find ${SNAPSHOTS} -maxdepth 1 ${old} -delete`;
  await machine.run(script, { step: "deleting abandoned snapshots of etcd", signal });
}

/** Deletes the older ones of the snapshots whose names begin the same. */
export async function pruneSnapshots(
  machine: Remote,
  prefix: string,
  keep: number,
  signal: AbortSignal,
): Promise<void> {
  const script = `ls -t ${SNAPSHOTS}/${quote(prefix)}*.db | tail -n +${keep + 1} | xargs -r rm -f`;
  await machine.run(script, { step: "deleting old snapshots of etcd", signal });
}
