import { quote } from "../../common/quote";
import { ETCD_DATA } from "../../render/component-paths";
import type { Remote } from "../ssh/remote";
import { ETCDCTL } from "../../render/etcdctl";

/** Folder of the snapshots on the disk of a control plane. */
export const SNAPSHOTS = "/var/lib/kubewright/etcd-snapshots";
const SECONDS = 300;
/** Seconds until a snapshot that another command saves must be complete. */
const LOCK_SECONDS = 120;

/** Verifies a snapshot by the SHA-256 with which etcd ends it. */
const VERIFY = `verify() {
  ended=$(tail -c 32 "$1" | od -An -v -tx1 | tr -d ' \\n')
  [ "$(head -c -32 "$1" | sha256sum | cut -d' ' -f1)" = "$ended" ] && return
  echo "the snapshot is damaged: its checksum does not match" >&2
  exit 1
}`;

/**
 * Saves a snapshot of etcd on the disk of a control plane before a change, and verifies it. A later snapshot of the
 * same name replaces it. Only etcd's data folder exists inside its container and outside. A command on another computer
 * may save one at the same time, such as a scheduled backup during an upgrade: they do so one after the other.
 * @param name what comes next: `before-worker-1-left`
 * @returns the snapshot's path
 */
export async function saveSnapshot(machine: Remote, name: string, signal: AbortSignal): Promise<string> {
  const [arriving, path] = [`${ETCD_DATA}/kubewright-snapshot.db`, `${SNAPSHOTS}/${name}.db`];
  const script = `${ETCDCTL}
${VERIFY}
umask 077
mkdir -p ${SNAPSHOTS}
exec 9>${SNAPSHOTS}/.lock
flock -w ${LOCK_SECONDS} 9 || { echo "another command still saves a snapshot" >&2; exit 1; }
rm -f ${arriving} ${arriving}.part
etcdctl snapshot save ${arriving} >/dev/null
verify ${arriving}
mv -fT ${arriving} ${quote(path)}`;
  await machine.run(script, {
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
