import { ETCD_PKI } from "../component-paths";
import { ETCDCTL } from "../etcdctl";
import { SOCKETS } from "../runtime";

/** Path of etcdutl on a control plane. It restores snapshots, and is copied there when a command needs it. */
export const ETCDUTL = "/var/lib/kubewright/backup/etcdutl";

/** Folder for files of backups and restores on a control plane. */
export const BACKUP_FOLDER = "/var/lib/kubewright/backup";

/**
 * Begins a script that uses etcd's programs outside of etcd's container. Sets `programs`, the folder of `etcd` and
 * `etcdctl`, and defines `live`, which is etcdctl for the member on this machine.
 */
export const ETCD_PROGRAMS = `${ETCDCTL}
if [ -S ${SOCKETS.docker} ]; then pid=$(docker inspect -f '{{.State.Pid}}' "$container")
else pid=$(ctr -n k8s.io tasks ls | awk -v id="$container" '$1 == id {print $2}')
fi
programs=/proc/$pid/root/usr/local/bin
live() { "$programs/etcdctl" "$@" --endpoints=https://127.0.0.1:2379 \\
  --cacert=${ETCD_PKI}/ca.crt --cert=${ETCD_PKI}/server.crt --key=${ETCD_PKI}/server.key; }`;
