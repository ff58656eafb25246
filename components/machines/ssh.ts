import { homedir } from "node:os";
import { z } from "zod";
import { host, ipv4, nodeName, port, strict } from "../fields/fields";
import { complaint } from "../fields/problems";
import { kind } from "./kind";
import type { Machine } from "./machine";

const hostFields = {
  name: nodeName,
  host,
  user: z.string().min(1).default("root"),
  port: port.default(22),
  /** On this computer. */
  privateKeyPath: z.string().min(1),
  /** OpenSSH's form, `ssh-ed25519 AAAA...`; absent: pinned at the first connection. */
  hostKey: z.string().regex(/^(ssh-|ecdsa-)[a-z0-9-]+ [A-Za-z0-9+/=]+/, {
    error: complaint("is not a public key", "write it as in known_hosts, like ssh-ed25519 AAAA..."),
  }).optional(),
  /** Where the other nodes reach it; absent: at `host`. */
  privateAddress: ipv4.optional(),
};

export const poolHost = strict(hostFields);
const sshHost = strict({ ...hostFields, role: z.enum(["control-plane", "worker"]) });
const shared = { hosts: z.array(sshHost).min(1) };

export const sshSection = strict(shared);
export type PoolHost = z.output<typeof poolHost>;
export type SshHost = z.output<typeof sshHost>;

/** Machines that the person has already: nothing is made, and nothing of them is removed but what was put there. */
export const sshKind = kind({
  name: "ssh",
  makes: false,
  shared: {},
  each: hostFields,
  make: ({ machines }) => ({ machines: machines.map(({ settings }) => sshMachine(settings)) }),
});

function sshMachine({ name, host: address, user, port: sshPort, privateKeyPath, hostKey, privateAddress }: PoolHost): Machine {
  return {
    name,
    address,
    user,
    port: sshPort,
    privateKeyPath: privateKeyPath.replace(/^~(?=\/)/, homedir()),
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(privateAddress === undefined ? {} : { privateAddress }),
  };
}
