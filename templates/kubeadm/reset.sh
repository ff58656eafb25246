# Takes Kubernetes off this machine, as if it had never been there; safe to run again, and on a machine that is half-way there.
# What stays is what was there before it: containerd, binaries, settings, which are resources of their own.
exec 9>/run/kubewright-kubeadm.lock
flock -w 120 9 || { echo "another kubeadm is running on this machine" >&2; exit 1; }
log=/tmp/kubewright-reset.log
# A machine with Docker has containerd's socket as well, and kubeadm would not choose.
cri=@CONTAINERD_SOCKET@
[ -S @DOCKER_SOCKET@ ] && cri=@DOCKER_SOCKET@

if command -v kubeadm >/dev/null 2>&1; then
  kubeadm reset --force --cleanup-tmp-dir --cri-socket "unix://$cri" 9>&- >$log 2>&1 || {
    # A control plane whose etcd does not answer cannot leave it by itself; everything else is still taken off.
    kubeadm reset --force --cleanup-tmp-dir --cri-socket "unix://$cri" --ignore-preflight-errors=all 9>&- >>$log 2>&1 || { tail -n 5 $log >&2; exit 1; }
  }
  rm -f $log
fi
# The rest is what kubeadm reset leaves behind: https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/
[ -d /var/lib/etcd ] && find /var/lib/etcd -mindepth 1 -delete 2>/dev/null
# kubelet.conf.d is the kubelet unit's configuration, which was there before the join and is there for the next.
[ -d /etc/kubernetes ] && find /etc/kubernetes -mindepth 1 -maxdepth 1 ! -name kubelet.conf.d -exec rm -rf {} +
rm -rf /var/lib/kubewright/kubeadm
mkdir -p /etc/kubernetes/manifests
