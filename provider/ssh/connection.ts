import { z } from "zod";

const port = z.int().min(1, "a port is between 1 and 65535").max(65535, "a port is between 1 and 65535");

/** A way into a machine. Of the keys, the agent and the password those that are given are tried, in this order. */
const way = {
  host: z.string().min(1, "the machine's address is missing"),
  /** Default 22. */
  port: port.optional(),
  /** Default root. */
  user: z.string().min(1).optional(),
  /** A file on the controller, read when the connection is made: better than the key itself, which is a secret of the state. */
  privateKeyPath: z.string().optional(),
  privateKey: z.string().optional(),
  /** Use the keys of the agent that SSH_AUTH_SOCK leads to. */
  agent: z.boolean().optional(),
  password: z.string().optional(),
  /** The pinned public host key: `ssh-ed25519 AAAA...`. Only a Host may connect without one, and then pins what it meets. */
  hostKey: z.string().optional(),
  /** The host through which this one is reached, as OpenSSH's ProxyJump. */
  get jump(): z.ZodOptional<typeof jumpSchema> {
    return jumpSchema.optional();
  },
};

/** A host on the way: nothing is run on it, it only forwards. */
const jumpSchema = z.strictObject(way);

/** How a machine is reached. Everything but `host` has a default. */
export const connectionSchema = z.strictObject({
  ...way,
  jump: jumpSchema.optional(),
  /** The machine's name in messages. */
  name: z.string().optional(),
  /** For a user who is not root and is asked for a password by sudo. */
  sudoPassword: z.string().optional(),
});

export type Jump = z.infer<typeof jumpSchema>;
export type Connection = z.infer<typeof connectionSchema>;

/** `worker-2 (10.0.0.12 by way of bastion)` */
export function describe(connection: Connection): string {
  const address = [connection, ...jumpsOf(connection)].map(endpoint).join(" by way of ");
  return connection.name ? `${connection.name} (${address})` : address;
}

/** The hosts on the way, the nearest to the machine first. */
export function jumpsOf({ jump }: Pick<Connection, "jump">): Jump[] {
  return jump ? [jump, ...jumpsOf(jump)] : [];
}

function endpoint({ host, port = 22 }: Jump): string {
  return port === 22 ? host : `${host}:${port}`;
}
