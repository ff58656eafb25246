import { ETCD_DATA } from "../component-paths";
import { ETCDCTL } from "../etcdctl";

/** Folder of the snapshots on the disk of a control plane. */
export const SNAPSHOTS = "/var/lib/kubewright/etcd-snapshots";
/** Seconds until a snapshot that another command saves must be complete. */
export const LOCK_SECONDS = 120;

/** Verifies a snapshot by the SHA-256 with which etcd ends it. */
const VERIFY = `verify() {
  ended=$(tail -c 32 "$1" | od -An -v -tx1 | tr -d ' \\n')
  [ "$(head -c -32 "$1" | sha256sum | cut -d' ' -f1)" = "$ended" ] && return
  echo "the snapshot is damaged: its checksum does not match" >&2
  exit 1
}`;

/** Path of a snapshot inside etcd's container while it is saved. */
const ARRIVING = `${ETCD_DATA}/kubewright-snapshot.db`;

/**
 * Shell script that saves a snapshot of etcd and verifies it. Snapshots of one machine are saved one after the other.
 * @param path shell word for a path below `SNAPSHOTS`
 */
export function saveSnapshotScript(path: string): string {
  return `${ETCDCTL}
${VERIFY}
umask 077
mkdir -p ${SNAPSHOTS}
exec 9>${SNAPSHOTS}/.lock
flock -w ${LOCK_SECONDS} 9 || { echo "another command still saves a snapshot" >&2; exit 1; }
rm -f ${ARRIVING} ${ARRIVING}.part
etcdctl snapshot save ${ARRIVING} >/dev/null
verify ${ARRIVING}
mv -fT ${ARRIVING} ${path}`;
}
