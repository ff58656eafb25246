#!/bin/sh
# Turns a Debian root file system into a machine. Runs inside it (docker build, or a chroot of mmdebstrap) from /tmp/machine.
set -eu
here=/tmp/machine

cp -R "$here/rootfs/." /
chmod 0755 /usr/local/sbin/entrypoint /usr/local/lib/kubewright-machine/runc

# Every machine makes its own identity when it first starts.
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id /etc/ssh/ssh_host_*

# Docker mounts its own files over these three. In a Docker build it does so now, and they cannot be removed.
for file in /etc/hosts /etc/hostname /etc/resolv.conf; do
  rm -f "$file" 2>/dev/null || : > "$file" 2>/dev/null || true
done
: > /etc/fstab
rm -f /etc/apt/apt.conf.d/99mmdebstrap

# `*` is no password at all; a locked account could not log in by key either.
useradd --create-home --user-group --shell /bin/bash admin
usermod --password '*' admin
printf 'admin ALL=(ALL) NOPASSWD: ALL\n' > /etc/sudoers.d/admin
chmod 0440 /etc/sudoers.d/admin
install -d -m 0700 /root/.ssh
install -d -m 0700 -o admin -g admin /home/admin/.ssh

systemctl enable ssh.service ssh-host-key.service
systemctl disable ssh.socket nftables.service || true
# Units that speak to hardware, or to what belongs to the host, or that only cost time here.
systemctl mask \
  systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
  systemd-modules-load.service systemd-remount-fs.service systemd-firstboot.service systemd-pstore.service \
  systemd-networkd.service systemd-networkd-wait-online.service \
  sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
  dev-hugepages.mount proc-sys-fs-binfmt_misc.automount \
  getty@tty1.service console-getty.service getty-static.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
# Each path unit holds an inotify instance, of which all machines of a host share 128 by default; nobody is asked for passwords here.
systemctl mask systemd-ask-password-console.path systemd-ask-password-wall.path
systemctl set-default multi-user.target

rm -rf "$here"
