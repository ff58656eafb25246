import { type Connection, type WrittenConnection, connectionSchema } from "../../contracts/connection";

/** Returns the connection with its defaults filled in, as the provider sees it. */
export function connectionTo(connection: WrittenConnection): Connection {
  return connectionSchema.parse(connection);
}
