import { SOCKETS } from "../../render/runtime";

const PKI = "/etc/kubernetes/pki/etcd";
export const ETCD_MANIFEST = "/etc/kubernetes/manifests/etcd.yaml";

/**
 * Defines the shell function `etcdctl`. The program exists in etcd's image only, so it runs inside etcd's container,
 * against the member on this machine.
 */
export const ETCDCTL = `set -e
if [ -S ${SOCKETS.docker} ]; then
  container=$(docker ps -q --filter label=io.kubernetes.container.name=etcd | head -n 1)
  inside() { docker exec "$container" "$@"; }
else
  container=$(ctr -n k8s.io containers ls -q 'labels."io.kubernetes.container.name"==etcd' | while read -r id; do
    ctr -n k8s.io tasks ls | grep -q "^$id .*RUNNING" && echo "$id"; done | head -n 1)
  inside() { ctr -n k8s.io tasks exec --exec-id "kubewright-$$-$2-$3" "$container" "$@"; }
fi
[ -n "$container" ] || { echo "etcd does not run on this machine" >&2; exit 1; }
etcdctl() { inside etcdctl "$@" --endpoints=https://127.0.0.1:2379 \\
  --cacert=${PKI}/ca.crt --cert=${PKI}/server.crt --key=${PKI}/server.key; }`;

/** Begins a script whose failure is an answer, too. */
export const IGNORE_FAILURE = "trap 'exit 0' EXIT";
