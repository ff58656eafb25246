import { homedir } from "node:os";
import type { PoolHost } from "./config";
import type { Machine } from "./machine";

/** Machines that the person has already, as the configuration lists them. */
export function sshMachines(hosts: readonly PoolHost[]): Machine[] {
  return hosts.map(({ name, host, user, port, privateKeyPath, hostKey, privateAddress }) => ({
    name,
    address: host,
    user,
    port,
    privateKeyPath: privateKeyPath.replace(/^~(?=\/)/, homedir()),
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(privateAddress === undefined ? {} : { privateAddress }),
  }));
}
