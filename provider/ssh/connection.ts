import { z } from "zod";

/** How a machine is reached. Everything but `host` has a default; a secret key is better given by its path. */
export const connectionSchema = z.strictObject({
  /** The machine's name in messages. */
  name: z.string().optional(),
  host: z.string().min(1, "the machine's address is missing"),
  /** Default 22. */
  port: z.int().min(1, "a port is between 1 and 65535").max(65535, "a port is between 1 and 65535").optional(),
  /** Default root. Another user needs sudo without a password. */
  user: z.string().min(1).optional(),
  /** A file on the controller, read when the connection is made. */
  privateKeyPath: z.string().optional(),
  privateKey: z.string().optional(),
  /** The pinned public host key: `ssh-ed25519 AAAA...`. Only a Host may connect without one, and then pins what it meets. */
  hostKey: z.string().optional(),
});

export type Connection = z.infer<typeof connectionSchema>;

/** `worker-2 (10.0.0.12)` */
export function describe(connection: Connection): string {
  const port = connection.port && connection.port !== 22 ? `:${connection.port}` : "";
  const address = `${connection.host}${port}`;
  return connection.name ? `${connection.name} (${address})` : address;
}
