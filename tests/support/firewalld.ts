import { existsSync } from "node:fs";
import { inLayer } from "./layer";
import { requirement, type Requirement } from "./requirement";
import { startSshd, type Sshd } from "./sshd";

const PROGRAMS = ["/usr/sbin/firewalld", "/usr/bin/firewall-cmd", "/usr/bin/dbus-daemon", "/usr/bin/unshare"];

export async function firewalldAvailable(): Promise<Requirement> {
  if (process.getuid?.() !== 0) return { met: false, reason: "a firewall for a test requires root" };
  return await requirement("firewalld", () => PROGRAMS.every(existsSync), ["firewalld", "dbus", "util-linux"]);
}

/**
 * A machine with the real firewalld in a network namespace without other traffic. Without systemd, firewalld itself
 * reports whether it runs.
 */
export async function startWithFirewalld(): Promise<Sshd> {
  const prepare = `rm -f root/usr/share/dbus-1/system-services/*
rm -rf root/etc/firewalld/zones root/etc/firewalld/policies
mkdir -p root/run/dbus root/usr/local/sbin
printf '#!/bin/sh\\n[ "$*" = "-q is-active firewalld" ] && firewall-cmd -q --state\\n' > root/usr/local/sbin/systemctl
chmod 0755 root/usr/local/sbin/systemctl
chroot root dbus-daemon --system --nofork --nopidfile &
until [ -S root/run/dbus/system_bus_socket ]; do sleep 0.05; done
chroot root unshare --net firewalld --nofork --nopid &
until chroot root firewall-cmd -q --state; do sleep 0.2; done`;
  return await startSshd({
    name: "fire",
    within: (folder) => inLayer(folder, prepare),
    environment: { PATH: "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin" },
  });
}
