# Takes Kubernetes off this machine, as if it had never been there; safe to run again, and on a machine that is half-way there.
# What stays is what was there before it: containerd, binaries, settings, which are resources of their own.
set -u
exec 9>/run/kubewright-kubeadm.lock
flock -w 120 9 || { echo "another kubeadm is running on this machine" >&2; exit 1; }
log=/tmp/kubewright-reset.log

# Host-gateway routes lead to the other nodes' pods; flanneld made them and nobody else takes them away.
pod_network=$(sed -n 's/^FLANNEL_NETWORK=//p' /run/flannel/subnet.env 2>/dev/null)

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
systemctl stop kubelet 2>/dev/null
systemctl reset-failed kubelet 2>/dev/null

# kubeadm reset leaves all that follows behind: https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/

# Mounts first: a folder under one would be busy. Deepest first. A folder that is a mount itself (a volume of its own) stays one.
awk '$2 ~ "^/var/lib/kubelet/" || $2 ~ "^/run/netns/cni-" {print $2}' /proc/mounts | sort -r | while read -r mount; do umount "$mount" 2>/dev/null || umount -l "$mount"; done
rm -f /run/netns/cni-*
for folder in /var/lib/kubelet /var/lib/etcd /var/lib/cri-dockerd/sandbox; do [ -d $folder ] && find $folder -mindepth 1 -delete 2>/dev/null; done
rm -rf /etc/cni/net.d/10-flannel.conflist /etc/cni/net.d/.flannel.tmp /run/flannel /var/lib/cni
# kubelet.conf.d is the kubelet unit's configuration, which was there before the join and is there for the next.
[ -d /etc/kubernetes ] && find /etc/kubernetes -mindepth 1 -maxdepth 1 ! -name kubelet.conf.d -exec rm -rf {} +
rm -rf /var/log/pods /var/log/containers

for link in cni0 flannel.1 kube-ipvs0; do ip link delete "$link" 2>/dev/null; done
for link in $(ip -o link show type veth 2>/dev/null | awk -F'[ :@]+' '$2 ~ /^veth[0-9a-f]{8}$/ {print $2}'); do ip link delete "$link" 2>/dev/null; done
[ -n "$pod_network" ] && ip route flush root "$pod_network" 2>/dev/null

if command -v nft >/dev/null 2>&1; then
  for table in "ip kube-proxy" "ip6 kube-proxy" "ip flannel-ipv4" "ip6 flannel-ipv6" "inet cni_hostport" "ip cni_hostport" "inet kubernetes"; do
    nft delete table $table 2>/dev/null
  done
fi
for tables in iptables ip6tables; do
  command -v $tables-save >/dev/null 2>&1 || continue
  rules=$($tables-save 2>/dev/null) || continue
  case $rules in
    *KUBE-* | *FLANNEL* | *CNI-*) printf '%s\n' "$rules" | grep -vE 'KUBE-|FLANNEL|FLANEL|CNI-|cali' | $tables-restore ;;
  esac
done
rm -rf /var/lib/kubewright/kubeadm
mkdir -p /etc/kubernetes/manifests
exit 0
