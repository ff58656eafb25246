import { z } from "zod";
import { localFile } from "./local-file";
import { secret } from "./secret";

/** Empty while a machine that is being created has not presented its key. */
const PUBLIC_KEY = /^$|^\s*(?:ssh-|ecdsa-)\S+\s+[A-Za-z0-9+/=]+/;
const NOT_A_KEY =
  "expected a public key, `ssh-ed25519 AAAA...`, not a fingerprint or another text; `ssh-keyscan -t ed25519 ADDRESS` " +
  "prints the key, and `ssh-keyscan -t ed25519 ADDRESS | ssh-keygen -lf -` its fingerprint to compare";
const PORT_RANGE = "a port is between 1 and 65535";

/** How to log in to one SSH server. The private key, the agent and the password are tried in this order, if set. */
const login = {
  /** IP address or DNS name of the SSH server. */
  host: z.string().min(1, "the machine's address is missing"),
  /**
   * TCP port of the SSH server.
   * @default 22
   */
  port: z.int().min(1, PORT_RANGE).max(65535, PORT_RANGE).default(22),
  /**
   * User to log in as. Any user other than root needs sudo.
   * @default "root"
   */
  user: z.string().min(1).default("root"),
  /**
   * File with the private key, on the computer that runs Pulumi: absolute, relative to the folder of the project, or
   * with `~/` for the home folder. It is read when the connection is opened, and is not in the state.
   */
  privateKeyPath: localFile(z.string()).optional(),
  /** The private key itself. Prefer `privateKeyPath`, which keeps the key out of the state. */
  privateKey: secret(z.string()).optional(),
  /** Use the keys of the SSH agent at `SSH_AUTH_SOCK`. */
  agent: z.boolean().optional(),
  /** Password of the user. */
  password: secret(z.string()).optional(),
  /**
   * The server's public host key, `ssh-ed25519 AAAA...`. The connection fails if the server presents another one.
   * Without it, a `Host` pins the key of its first connection. A fingerprint is refused: it lacks the type of the key,
   * which decides which of its keys the server presents.
   */
  hostKey: z.string().regex(PUBLIC_KEY, NOT_A_KEY).optional(),
  /** The SSH server through which this one is reached (OpenSSH's ProxyJump). */
  get jump(): z.ZodOptional<typeof jumpSchema> {
    return jumpSchema.optional();
  },
};

/** An SSH server that only forwards connections. No command runs on it. */
const jumpSchema = z.strictObject(login);

/** How to reach a machine over SSH. */
export const connectionSchema = z.strictObject({
  ...login,
  /** The SSH server through which the machine is reached (OpenSSH's ProxyJump). */
  jump: jumpSchema.optional(),
  /** Name of the machine in messages. */
  name: z.string().optional(),
  /** Password for sudo, if the user is not root and sudo asks for one. */
  sudoPassword: secret(z.string()).optional(),
});

export type Jump = z.output<typeof jumpSchema>;
export type Connection = z.output<typeof connectionSchema>;

/** A connection as a program writes it: properties with a default are optional. */
export type WrittenConnection = z.input<typeof connectionSchema>;
export type WrittenJump = z.input<typeof jumpSchema>;

/** Connections to the control planes. The API server is reached through the first one that answers. */
export const controlPlanesSchema = z.array(connectionSchema).min(1, "at least one control plane is needed");
