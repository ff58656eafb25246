import type { Connection, Jump } from "../../contracts/connection";

/** `worker-2 (10.0.0.12 by way of bastion)` */
export function describe(connection: Connection): string {
  const address = [connection, ...jumpsOf(connection)].map(endpoint).join(" by way of ");
  return connection.name ? `${connection.name} (${address})` : address;
}

/** The hosts on the way, the nearest to the machine first. */
export function jumpsOf({ jump }: Pick<Connection, "jump">): Jump[] {
  return jump ? [jump, ...jumpsOf(jump)] : [];
}

function endpoint({ host, port }: Jump): string {
  return port === 22 ? host : `${host}:${port}`;
}
