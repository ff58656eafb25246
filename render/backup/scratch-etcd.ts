import { COUNT_KINDS } from "./etcd-keys";
import { BACKUP_FOLDER, ETCDUTL, ETCD_PROGRAMS } from "./etcd-programs";

/** Line between the hash and the numbers of keys that `readSnapshotScript` prints. */
export const SEPARATOR = "--- keys ---";

/**
 * Shell functions for a scratch etcd that serves a restored snapshot, for one script. It listens on a socket in a
 * folder of root, so that no other user and no pod can read the cluster's secrets from it.
 */
export const SCRATCH_ETCD = `${ETCD_PROGRAMS}
umask 077
mkdir -p ${BACKUP_FOLDER}
find ${BACKUP_FOLDER} -maxdepth 1 -name 'drill.*' -mmin +60 -exec rm -rf {} +
folder=$(mktemp -d ${BACKUP_FOLDER}/drill.XXXXXX)
server=
clean_up() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; wait; rm -rf "$folder"; }
trap clean_up EXIT
trap 'exit 143' HUP INT TERM
fail() { echo "$1" >&2; tail -n 3 "$folder/log" >&2; exit 1; }
scratch() { "$programs/etcdctl" "$@" --endpoints="unix://$folder/client" --command-timeout=60s; }
start_scratch() {
  ${ETCDUTL} snapshot restore "$1" --data-dir "$folder/data" --name drill \\
    --initial-cluster drill=http://127.0.0.1:1 --initial-advertise-peer-urls http://127.0.0.1:1 \\
    >"$folder/log" 2>&1 || fail "the snapshot cannot be restored:"
  "$programs/etcd" --name drill --data-dir "$folder/data" --unsafe-no-fsync --log-level error \\
    --initial-cluster drill=http://127.0.0.1:1 --initial-advertise-peer-urls http://127.0.0.1:1 \\
    --listen-peer-urls "unix://$folder/peer" --listen-client-urls "unix://$folder/client" \\
    --advertise-client-urls http://127.0.0.1:1 >"$folder/log" 2>&1 &
  server=$!
  until [ -S "$folder/client" ] && scratch endpoint health >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || fail "etcd does not start with the restored data:"
    sleep 0.1
  done
}
revisions() {
  awk -F' : ' '$1 == "\\"Key\\"" {key = substr($2, 2, length($2) - 2)}
    $1 == "\\"ModRevision\\"" {print key, $2}'
}`;

/**
 * Shell script that restores a snapshot into a scratch etcd, and prints its hash and the number of keys of each kind.
 * @param path shell word for the path of the snapshot
 */
export function readSnapshotScript(path: string): string {
  return `${SCRATCH_ETCD}
start_scratch ${path}
scratch endpoint hashkv -w json
echo '${SEPARATOR}'
scratch get / --prefix --keys-only -w fields | revisions | cut -d' ' -f1 | ${COUNT_KINDS}`;
}

/**
 * Shell script that prints the hash of the running etcd at an earlier revision; nothing if its history no longer
 * reaches back there.
 * @param revision shell word
 */
export function liveHashScript(revision: string): string {
  return `${ETCD_PROGRAMS}\nlive endpoint hashkv --rev=${revision} -w json 2>/dev/null || true`;
}
