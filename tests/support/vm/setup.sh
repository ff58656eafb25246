#!/bin/sh
# Configures a Debian root file system as a virtual machine with the user admin. Runs inside of it (mmdebstrap's chroot).
# Expects the public key of admin in /tmp/key.pub.
set -eu

echo vm > /etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 vm\n::1 localhost\n' > /etc/hosts
# QEMU's user network has a resolver that forwards to the host's.
echo 'nameserver 10.0.2.3' > /etc/resolv.conf
# Swap is on, as on most machines of a person.
printf '/dev/vda / ext4 errors=remount-ro 0 1\n/dev/vdb none swap sw 0 0\n' > /etc/fstab
printf '[Match]\nName=eth*\n[Network]\nDHCP=ipv4\n' > /etc/systemd/network/10-dhcp.network
systemctl -q enable systemd-networkd ssh
# Package updates in the background would change what the suite compares.
systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
: > /etc/machine-id

useradd -m -s /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/admin
chmod 0440 /etc/sudoers.d/admin
install -d -m 0700 -o admin -g admin /home/admin/.ssh
install -m 0600 -o admin -g admin /tmp/key.pub /home/admin/.ssh/authorized_keys
printf 'PermitRootLogin no\nPasswordAuthentication no\n' > /etc/ssh/sshd_config.d/10-key-only.conf
rm -f /tmp/key.pub
