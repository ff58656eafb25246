# Removes Kubernetes from this machine. Idempotent, and safe after a kubeadm run that was interrupted.
# containerd, binaries and settings stay: they are resources of their own.
exec 9>/run/kubewright-kubeadm.lock
flock -w @LOCK_SECONDS@ 9 || { echo "another kubeadm is still running on this machine" >&2; exit 1; }
log=/tmp/kubewright-reset.log
# A machine with Docker also has a containerd socket; kubeadm refuses to choose between them.
cri=@CONTAINERD_SOCKET@
[ -S @DOCKER_SOCKET@ ] && cri=@DOCKER_SOCKET@

if command -v kubeadm >/dev/null 2>&1; then
  kubeadm reset --force --cleanup-tmp-dir --cri-socket "unix://$cri" 9>&- >$log 2>&1 || {
    # Without preflight checks: a control plane whose etcd does not answer must be reset too.
    kubeadm reset --force --cleanup-tmp-dir --cri-socket "unix://$cri" --ignore-preflight-errors=all 9>&- >>$log 2>&1 || { tail -n 5 $log >&2; exit 1; }
  }
  rm -f $log
fi
# Delete what kubeadm reset leaves behind: https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/
if [ -d /var/lib/etcd ]; then
  find /var/lib/etcd -mindepth 1 -delete 2>/dev/null
  rmdir /var/lib/etcd 2>/dev/null # it stays where it is a disk of its own
fi
# kubelet.conf.d belongs to the kubelet's unit: it existed before the join and is needed for the next one.
[ -d /etc/kubernetes ] && find /etc/kubernetes -mindepth 1 -maxdepth 1 ! -name kubelet.conf.d -exec rm -rf {} +
rm -rf /var/lib/kubewright/kubeadm /var/lib/kubewright/etcd-snapshots /var/lib/kubewright/backup
rm -f /run/kubewright-kubeadm.lock
