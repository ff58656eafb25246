#!/bin/sh
# Configures a Debian root file system as a machine. Runs inside of it (docker build, or mmdebstrap's chroot) from /tmp/machine.
set -eu
here=/tmp/machine

cp -R "$here/rootfs/." /
chmod 0755 /usr/local/sbin/entrypoint /usr/local/lib/kubewright-machine/runc

# Every machine creates its identity at its first start.
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id /etc/ssh/ssh_host_*

# Docker mounts its own files over these. During a Docker build they are already mounted, and cannot be removed.
for file in /etc/hosts /etc/hostname /etc/resolv.conf; do
  rm -f "$file" 2>/dev/null || : > "$file" 2>/dev/null || true
done
: > /etc/fstab
rm -f /etc/apt/apt.conf.d/99mmdebstrap

# `*` disables the password. A locked account could not log in with a key either.
useradd --create-home --user-group --shell /bin/bash admin
usermod --password '*' admin
printf 'admin ALL=(ALL) NOPASSWD: ALL\n' > /etc/sudoers.d/admin
chmod 0440 /etc/sudoers.d/admin
install -d -m 0700 /root/.ssh
install -d -m 0700 -o admin -g admin /home/admin/.ssh

systemctl enable ssh.service ssh-host-key.service
# A node runs a balancer of its own with haproxy.
systemctl disable ssh.socket nftables.service haproxy.service || true
# Units that need hardware, change the host, or only take time.
systemctl mask \
  systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
  systemd-modules-load.service systemd-remount-fs.service systemd-firstboot.service systemd-pstore.service \
  systemd-networkd.service systemd-networkd-wait-online.service \
  sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
  dev-hugepages.mount proc-sys-fs-binfmt_misc.automount \
  getty@tty1.service console-getty.service getty-static.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
# Each path unit uses an inotify instance, of which all machines of a host share 128 by default. Machines never ask for passwords.
systemctl mask systemd-ask-password-console.path systemd-ask-password-wall.path
systemctl set-default multi-user.target

rm -rf "$here"
