# Takes Kubernetes off this machine; safe to run again, and on a machine that is half-way there.
set -u
exec 9>/run/kubewright-kubeadm.lock
flock -w 120 9 || { echo "another kubeadm is running on this machine" >&2; exit 1; }
if command -v kubeadm >/dev/null 2>&1; then
  kubeadm reset --force --cleanup-tmp-dir 9>&- >/tmp/kubewright-reset.log 2>&1 || {
    # A control plane whose etcd does not answer cannot leave it by itself; everything else is still taken off.
    kubeadm reset --force --cleanup-tmp-dir --ignore-preflight-errors=all 9>&- >>/tmp/kubewright-reset.log 2>&1 || { tail -n 5 /tmp/kubewright-reset.log >&2; exit 1; }
  }
  rm -f /tmp/kubewright-reset.log
fi
systemctl stop kubelet 2>/dev/null

# kubeadm reset leaves these behind.
rm -rf /etc/cni/net.d/10-flannel.conflist /etc/cni/net.d/.flannel.tmp /run/flannel /var/lib/cni /etc/kubernetes/kubewright-*.yaml
for link in cni0 flannel.1 kube-ipvs0; do ip link delete "$link" 2>/dev/null; done
if command -v nft >/dev/null 2>&1; then
  for table in "ip kube-proxy" "ip6 kube-proxy" "ip flannel-ipv4" "ip6 flannel-ipv6"; do nft delete table $table 2>/dev/null; done
fi
for tables in iptables ip6tables; do
  command -v $tables-save >/dev/null 2>&1 || continue
  rules=$($tables-save 2>/dev/null) || continue
  case $rules in
    *KUBE-* | *FLANNEL* | *CNI-*) printf '%s\n' "$rules" | grep -vE 'KUBE-|FLANNEL|CNI-|cali' | $tables-restore ;;
  esac
done
rm -rf /var/lib/kubewright/kubeadm /etc/kubernetes/manifests /etc/kubernetes/pki
mkdir -p /etc/kubernetes/manifests
exit 0
