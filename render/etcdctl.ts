import { ETCD_PKI } from "./component-paths";
import { SOCKETS } from "./runtime";

/**
 * Defines the shell function `etcdctl`. It runs inside etcd's container, because with kubeadm the program exists in
 * etcd's image only, against the member on this machine. An etcd of systemd has its etcdctl beside it.
 */
export const ETCDCTL = `set -e
if systemctl is-active -q etcd.service 2>/dev/null; then
  container=etcd.service
  inside() { shift; /usr/local/bin/etcdctl "$@"; }
elif [ -S ${SOCKETS.docker} ]; then
  container=$(docker ps -q --filter label=io.kubernetes.container.name=etcd | head -n 1)
  inside() { docker exec "$container" "$@"; }
else
  container=$(ctr -n k8s.io containers ls -q 'labels."io.kubernetes.container.name"==etcd' | while read -r id; do
    ctr -n k8s.io tasks ls | grep -q "^$id .*RUNNING" && echo "$id"; done | head -n 1)
  # An identifier of containerd has letters and digits, and is not long.
  inside() {
    call=$(printf %s "$2$3" | tr -cd a-z0-9 | cut -c1-20)
    ctr -n k8s.io tasks exec --exec-id "kubewright-$$-$call" "$container" "$@"
  }
fi
[ -n "$container" ] || { echo "etcd does not run on this machine" >&2; exit 1; }
etcdctl() { inside etcdctl "$@" --endpoints=https://127.0.0.1:2379 \\
  --cacert=${ETCD_PKI}/ca.crt --cert=${ETCD_PKI}/server.crt --key=${ETCD_PKI}/server.key; }`;
