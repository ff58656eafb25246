import { isIP } from "node:net";
import { z } from "zod";
import { optional } from "../../common/optional";
import { portablePath } from "../../common/portable-path";
import { ipv4, nodeName, port, publicHostKey, secretText, strict } from "../fields/fields";
import { complaint } from "../fields/problems";
import { defineKind } from "./kind";
import type { JumpHost, Machine } from "./machine";
import { type SshSettings, parseJump } from "./ssh-route";

const host = z
  .string()
  .refine((value) => isIP(value) !== 0 || /^[A-Za-z0-9][\w.-]{0,252}$/.test(value), {
    error: complaint(
      "is neither an address nor a host name",
      "write it like 10.0.0.9, node1.example.com or an alias of ~/.ssh/config",
    ),
  })
  .meta({ format: "address, DNS name or alias of ~/.ssh/config" });

const login = {
  /** Address of the SSH server. An alias of ~/.ssh/config is resolved on the computer that runs Pulumi, at preview. */
  host,
  /**
   * User to log in as. Any user other than root needs sudo.
   * @default the User of ~/.ssh/config, else root
   */
  user: z.string().min(1).optional(),
  /**
   * TCP port of the SSH server.
   * @default the Port of ~/.ssh/config, else 22
   */
  port: port.optional(),
  /**
   * File with the private key, on the computer that runs Pulumi. Use the agent for a key with a passphrase.
   * @default the first IdentityFile of ~/.ssh/config that exists
   */
  privateKeyPath: z.string().min(1).optional(),
  /**
   * Use the keys of the SSH agent at `SSH_AUTH_SOCK`.
   * @default true if ~/.ssh/config names the host, an agent runs, and there is neither a private key nor a password
   */
  agent: z.boolean().optional(),
  /** Password of the user. Set it with `pulumi config set --secret`. */
  password: secretText.optional(),
  /**
   * Public host key of the SSH server in OpenSSH's format, `ssh-ed25519 AAAA...`. A connection to a server with
   * another key fails.
   * @default the key in ~/.ssh/known_hosts, else the key that the first connection meets
   */
  hostKey: publicHostKey.optional(),
};

const jump: z.ZodType<SshSettings> = z
  .lazy(() =>
    z.preprocess(
      (value) => (typeof value === "string" ? parseJump(value) : value),
      strict({ ...login, jump: jump.optional() }),
    ),
  )
  .meta({ format: "string or object", alsoAccepts: "string" });

const hostFields = {
  /** Hostname of the machine and name of its node: a DNS name. */
  name: nodeName,
  ...login,
  /** Password for sudo, if the user is not root and sudo asks for one. Set it with `pulumi config set --secret`. */
  sudoPassword: secretText.optional(),
  /**
   * SSH server through which the host is reached: `[user@]host[:port]`, several of them separated by commas, or an
   * object with the properties `host`, `user`, `port`, `privateKeyPath`, `agent`, `password`, `hostKey` and `jump`. It
   * must allow TCP forwarding. It uses the machine's keys, unless it has keys of its own.
   * @default the ProxyJump of ~/.ssh/config
   */
  jump: jump.optional(),
  /**
   * IPv4 address at which the other nodes reach the machine.
   * @default the value of `host`
   */
  privateAddress: ipv4.optional(),
  /**
   * Architecture of the machine's CPU.
   * @default the architecture of the computer that runs Pulumi
   */
  arch: z.enum(["amd64", "arm64"]).optional(),
};

export const poolHost = strict(hostFields);
const sshHost = strict({
  ...hostFields,
  /** Role of the machine in the cluster. Workers listed here are in the pool `workers`. */
  role: z.enum(["control-plane", "worker"]),
});

export const sshSection = strict({
  /** Existing machines. They are never deleted; `npm run down` removes only what was installed on them. */
  hosts: z.array(sshHost).min(1),
});
/** `alias` is the configured `host` where ~/.ssh/config has the address. */
export type PoolHost = z.output<typeof poolHost> & { alias?: string };
export type SshHost = z.output<typeof sshHost> & { alias?: string };

/** Existing machines: none is created or deleted. */
export const sshKind = defineKind({
  name: "ssh",
  makes: false,
  shared: {},
  each: hostFields,
  make: ({ machines }) => ({ machines: machines.map(({ settings }) => sshMachine(settings)) }),
});

function sshMachine({ name, privateAddress, sudoPassword, arch, ...settings }: PoolHost): Machine {
  return { name, ...loginOf(settings), ...optional({ sudoPassword, privateAddress, arch }) };
}

function loginOf(settings: SshSettings): JumpHost {
  const { user = "root", port: sshPort = 22, privateKeyPath, agent, password, hostKey, jump: next } = settings;
  return {
    host: settings.host,
    user,
    port: sshPort,
    ...optional({
      privateKeyPath: privateKeyPath === undefined ? undefined : portablePath(privateKeyPath),
      agent,
      password,
      hostKey,
      jump: next && loginOf(next),
    }),
  };
}
