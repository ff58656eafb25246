# Leftovers of the kubelet and its pods: folders, mounts, the bridge.
systemctl stop kubelet 2>/dev/null
systemctl reset-failed kubelet 2>/dev/null
# Ends processes that still run in pods, and removes the slices of pods with their limits.
systemctl stop kubepods.slice 2>/dev/null
if [ -f /run/kubewright-sysctls ]; then
  sysctl -q -p /run/kubewright-sysctls
  rm -f /run/kubewright-sysctls
fi
# Unmounts before deleting, deepest mounts first. A folder that is itself a mount stays, for example a separate volume.
awk '$2 ~ "^/var/lib/kubelet/" || $2 ~ "^/run/netns/cni-" {print $2}' /proc/mounts | sort -r | while read -r mount; do umount "$mount" 2>/dev/null || umount -l "$mount"; done
rm -f /run/netns/cni-*
# The CNI plugins mount this folder on itself.
if [ -d /run/netns ] && [ -z "$(ls -A /run/netns)" ]; then umount /run/netns 2>/dev/null; rmdir /run/netns 2>/dev/null; fi
for folder in /var/lib/kubelet /var/lib/cri-dockerd/sandbox; do [ -d $folder ] && find $folder -mindepth 1 -delete 2>/dev/null; done
rm -rf /var/lib/cni /var/log/pods /var/log/containers
rmdir /var/lib/kubewright/manifests /etc/kubernetes/manifests /etc/kubernetes 2>/dev/null
grep -qsxF 'folder /var/lib/kubelet' /var/lib/kubewright/machine-before || rmdir /var/lib/kubelet 2>/dev/null
for link in cni0 $(ip -o link show type veth 2>/dev/null | awk -F'[ :@]+' '$2 ~ /^veth[0-9a-f]{8}$/ {print $2}'); do ip link delete "$link" 2>/dev/null; done
without_tables "inet cni_hostport" "ip cni_hostport" "inet kubernetes"
without_rules '!/KUBE-|CNI-|cali/'
without_empty_tables
