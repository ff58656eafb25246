# Prints what a machine is like, in sections that begin with a line `== NAME`. Changes nothing. Runs as root.
# What changes by itself is left out: logs, package lists, counters, random values, process ids.
# systemd answers late on an emulated machine.
export SYSTEMD_BUS_TIMEOUT=300
section() { echo "== $1"; }

section files
find /etc /usr/local /opt /root /home /srv /var /boot -xdev \
  \( -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/tmp \) -prune -o \
  \( -path /var/lib/systemd/timers -o -path /var/lib/systemd/random-seed -o -path /var/lib/systemd/catalog \) -prune -o \
  -printf '%M %u:%g %p %l\n'
section logs
find /var/log -mindepth 1 -maxdepth 1 -printf '%f\n' | grep -vE '^(dpkg\.log|apt|alternatives\.log)$'
section contents
find /etc /usr/local /opt -xdev -type f -not -name '*.cache' -exec sha256sum {} +
section run
find /run /tmp /var/tmp /dev/shm -xdev -mindepth 1 \
  \( -path /run/udev -o -path /run/user -o -path /run/systemd -o -path /run/log -o -path /run/initramfs \) -prune -o \
  -printf '%y %p\n' | grep -v systemd-private
section iptables
for tables in iptables ip6tables; do $tables-save 2>/dev/null | grep -v '^#' | sed 's/\[[0-9:]*\]//'; done
section nftables
nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'
section links
ip -br link | awk '{ print $1, $2 }'
section addresses
ip -br addr show scope global
section routes
ip route show table all | sed 's/expires [^ ]*//'
section "routing rules"
ip rule
section "unit files"
systemctl list-unit-files --no-legend --no-pager | awk '{ print $1, $2 }'
section units
# network-online.target starts wait-online, and stays active.
systemctl list-units --state=active,failed --no-legend --no-pager --plain --type=service,socket,slice,timer |
  awk '{ print $1, $2, $3 }' | grep -vE '^(systemd-networkd-wait-online|user@|user-|user-runtime-dir@|run-|systemd-tmpfiles-clean|systemd-hostnamed|systemd-update|man-db)'
section cgroups
find /sys/fs/cgroup -type d | grep -vE 'binfmt_misc|user\.slice|system\.slice/(run-|systemd-hostnamed|systemd-update|systemd-tmpfiles)'
section sysctls
sysctl -a 2>/dev/null | grep -vE '^(kernel\.(random|pty\.nr|ns_last_pid|cad_pid|perf_event_max_sample_rate)|fs\.(dentry|inode|file-nr|aio-nr|quota))|conntrack_count|nf_conntrack_.*seed'
section modules
awk '{ print $1 }' /proc/modules
section swap
awk 'NR > 1 { print $1 }' /proc/swaps
section mounts
awk '{ print $1, $2, $3 }' /proc/mounts | grep -vE '/run/user/|binfmt_misc'
section packages
dpkg-query -Wf '${Package} ${db:Status-Abbrev}\n'
section processes
ps -eo user:20,comm --no-headers | grep -vE 'udev-worker|kworker|ksoftirqd|ps$|sshd|sudo|sh$|awk$|sort$|systemd$|sd-pam|systemd-(host|update|tmpfile)'
