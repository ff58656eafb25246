import { isIP } from "node:net";
import { z } from "zod";
import { ipv4, nodeName, port, strict } from "../fields/fields";
import { complaint } from "../fields/problems";
import { kind } from "./kind";
import type { JumpHost, Machine } from "./machine";
import { expanded } from "./ssh-files";
import { type WrittenWay, parseJump } from "./ssh-route";

/** An address, a DNS name or an alias of ~/.ssh/config. */
const host = z.string().refine((value) => isIP(value) !== 0 || /^[A-Za-z0-9][\w.-]{0,252}$/.test(value), {
  error: complaint(
    "is neither an address nor a host name",
    "write it like 10.0.0.9, node1.example.com or an alias of ~/.ssh/config",
  ),
});

const way = {
  host,
  /** Default: what ~/.ssh/config says of the host, else root. Another user needs sudo. */
  user: z.string().min(1).optional(),
  /** Default: what ~/.ssh/config says, else 22. */
  port: port.optional(),
  /** On this computer. Default: the first IdentityFile of ~/.ssh/config that is there. */
  privateKeyPath: z.string().min(1).optional(),
  /** Use the keys of the SSH agent. */
  agent: z.boolean().optional(),
  /** Kept as a secret: set it with `--secret`. */
  password: z.string().min(1).optional(),
  /** OpenSSH's form, `ssh-ed25519 AAAA...`; absent: that of ~/.ssh/known_hosts, else pinned at the first connection. */
  hostKey: z
    .string()
    .regex(/^(ssh-|ecdsa-)[a-z0-9-]+ [A-Za-z0-9+/=]+/, {
      error: complaint("is not a public key", "write it as in known_hosts, like ssh-ed25519 AAAA..."),
    })
    .optional(),
};

/** As ProxyJump has it, `admin@bastion:2222`, or with properties; keys are the machine's, if nothing else is said. Default: ProxyJump of ~/.ssh/config. */
const jump: z.ZodType<WrittenWay> = z.lazy(() =>
  z.preprocess(
    (given) => (typeof given === "string" ? parseJump(given) : given),
    strict({ ...way, jump: jump.optional() }),
  ),
);

const hostFields = {
  name: nodeName,
  ...way,
  /** For a user whom sudo asks. Kept as a secret: set it with `--secret`. */
  sudoPassword: z.string().min(1).optional(),
  jump: jump.optional(),
  /** Where the other nodes reach it; absent: at `host`. */
  privateAddress: ipv4.optional(),
};

export const poolHost = strict(hostFields);
const sshHost = strict({ ...hostFields, role: z.enum(["control-plane", "worker"]) });
const shared = { hosts: z.array(sshHost).min(1) };

export const sshSection = strict(shared);
/** `alias`: what was written as `host`, where ~/.ssh/config has the address. */
export type PoolHost = z.output<typeof poolHost> & { alias?: string };
export type SshHost = z.output<typeof sshHost> & { alias?: string };

/** Machines that the person has already: nothing is made, and nothing of them is removed but what was put there. */
export const sshKind = kind({
  name: "ssh",
  makes: false,
  shared: {},
  each: hostFields,
  make: ({ machines }) => ({ machines: machines.map(({ settings }) => sshMachine(settings)) }),
});

function sshMachine({ name, privateAddress, sudoPassword, ...rest }: PoolHost): Machine {
  const { host: address, ...login } = loginOf(rest);
  return {
    name,
    address,
    ...login,
    ...(sudoPassword === undefined ? {} : { sudoPassword }),
    ...(privateAddress === undefined ? {} : { privateAddress }),
  };
}

function loginOf({
  host: address,
  user = "root",
  port: sshPort = 22,
  privateKeyPath,
  agent,
  password,
  hostKey,
  jump: through,
}: WrittenWay): JumpHost {
  return {
    host: address,
    user,
    port: sshPort,
    ...(privateKeyPath === undefined ? {} : { privateKeyPath: expanded(privateKeyPath) }),
    ...(agent === undefined ? {} : { agent }),
    ...(password === undefined ? {} : { password }),
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(through === undefined ? {} : { jump: loginOf(through) }),
  };
}
