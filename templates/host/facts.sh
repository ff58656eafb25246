# Prints the facts of this machine as lines key=value. Changes nothing.
. /etc/os-release
echo "os_id=$ID"
echo "os_version=${VERSION_ID:-}"
echo "arch=$(uname -m)"
echo "kernel=$(uname -r)"
echo "hostname=$(uname -n)"
echo "machine_id=$(cat /etc/machine-id)"
echo "boot_id=$(cat /proc/sys/kernel/random/boot_id)"
echo "uid=$(id -u)"
echo "cpus=$(nproc)"
echo "memory_kib=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)"
echo "swap_kib=$(awk 'NR > 1 { sum += $3 } END { print sum + 0 }' /proc/swaps)"
echo "cgroup=$(stat -fc %T /sys/fs/cgroup)"
# CAP_SYS_RESOURCE is bit 24 of the bounding set (capabilities(7)). It is needed to lower OOM scores.
bounding=$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)
[ $(( 0x$bounding >> 24 & 1 )) = 1 ] && echo cap_sys_resource=yes || echo cap_sys_resource=no
# In a container, nf_conntrack_max belongs to the host, and kube-proxy would exit because it cannot set it. On other
# machines, the file exists only after nf_conntrack is loaded, which happens before kube-proxy starts.
conntrack=/proc/sys/net/netfilter/nf_conntrack_max
if systemd-detect-virt -qc; then echo conntrack_writable=no
elif [ -e $conntrack ] && ! [ -w $conntrack ]; then echo conntrack_writable=no
else echo conntrack_writable=yes
fi
echo "addresses=$(ip -o addr show scope global 2>/dev/null | awk '{ sub("/.*", "", $4); printf "%s ", $4 }')"
if systemctl is-active -q systemd-resolved 2>/dev/null; then echo systemd_resolved=yes
else echo systemd_resolved=no
fi
echo "clock_ms=$(date +%s%3N)"
df -Pm /var/lib | awk 'NR == 2 { print "disk_mib=" $2; print "disk_free_mib=" $4 }'
listening=$(awk '$4 == "0A" { sub(".*:", "", $2); print $2 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
echo "ports=$(for hex in $listening; do printf '%d ' "0x$hex"; done)"
case $(getenforce 2>/dev/null) in Enforcing) echo selinux=enforcing ;; Permissive) echo selinux=permissive ;; esac
if systemctl -q is-active firewalld 2>/dev/null; then echo firewall=firewalld
elif command -v ufw >/dev/null 2>&1 && ufw status 2>/dev/null | grep -q '^Status: active'; then echo firewall=ufw
fi
if [ -f /etc/kubernetes/manifests/kube-apiserver.yaml ]; then echo kubernetes=control-plane
elif [ -f /etc/kubernetes/kubelet.conf ]; then echo kubernetes=worker
elif [ -d /etc/kubernetes/pki ] || [ -f /etc/kubernetes/bootstrap-kubelet.conf ]; then echo kubernetes=partial
else echo kubernetes=none
fi
[ -f /etc/kubernetes/pki/ca.crt ] && echo "cluster_ca=$(sha256sum < /etc/kubernetes/pki/ca.crt | cut -d ' ' -f 1)"
# kubeadm writes the runtime's socket to the flags up to 1.34, and to the kubelet's configuration since then.
files="/var/lib/kubelet/kubeadm-flags.env /var/lib/kubelet/instance-config.yaml /var/lib/kubelet/config.yaml"
if grep -qs cri-dockerd.sock $files; then echo kubelet_runtime=docker
elif grep -qs containerd.sock $files; then echo kubelet_runtime=containerd
fi
# Kubewright writes daemon.json together with the unit of cri-dockerd.
if [ -f /etc/docker/daemon.json ] && ! [ -f /etc/systemd/system/cri-docker.service ]; then
  echo docker_configured=yes
fi
