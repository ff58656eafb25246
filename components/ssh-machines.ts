import { homedir } from "node:os";
import type { SshHost } from "./config";
import type { Machine } from "./machine";

/** Machines that the person has already, as the configuration lists them. */
export function sshMachines(hosts: readonly SshHost[], role: SshHost["role"]): Machine[] {
  return hosts
    .filter((host) => host.role === role)
    .map(({ name, host, user, port, privateKeyPath, hostKey, privateAddress }) => ({
      name,
      address: host,
      user,
      port,
      privateKeyPath: privateKeyPath.replace(/^~(?=\/)/, homedir()),
      ...(hostKey === undefined ? {} : { hostKey }),
      ...(privateAddress === undefined ? {} : { privateAddress }),
    }));
}
