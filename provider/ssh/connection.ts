import type { Connection, Jump } from "../../contracts/connection";

/** Formats a connection for messages: `worker-2 (10.0.0.12 via bastion)`. */
export function describe(connection: Connection): string {
  const address = [connection, ...jumpsOf(connection)].map(formatAddress).join(" via ");
  return connection.name ? `${connection.name} (${address})` : address;
}

/** The name of the machine, which is also that of its node: `worker-2`; its host where it has none. */
export function machineName({ name, host }: Pick<Connection, "name" | "host">): string {
  return name ?? host;
}

/** The jump hosts, beginning with the one that is closest to the machine. */
export function jumpsOf({ jump }: Pick<Connection, "jump">): Jump[] {
  return jump ? [jump, ...jumpsOf(jump)] : [];
}

function formatAddress({ host, port }: Jump): string {
  return port === 22 ? host : `${host}:${port}`;
}
