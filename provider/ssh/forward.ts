import type { ClientChannel } from "ssh2";
import type { Connection } from "../../contracts/connection";
import { messageOf } from "../../common/errors";
import { type Dialed, onLost } from "./client";
import { ConnectionError, LostConnectionError } from "./errors";

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, section 5.1) */
const PROHIBITED = 1;

/** Address of a service, as the machine reaches it. */
export interface Target {
  host: string;
  port: number;
}

/**
 * Opens a stream to an address through an open connection.
 * @param connection the machine, for the error
 * @throws LostConnectionError if the connection is lost before the stream is open
 */
export function openForward(
  { client }: Dialed,
  connection: Connection,
  target: Target,
  signal: AbortSignal,
): Promise<ClientChannel> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      stopWatching();
      signal.removeEventListener("abort", onAbort);
      action();
    };
    const onAbort = () => settle(() => reject(signal.reason as Error));
    const stopWatching = onLost(client, () => settle(() => reject(new LostConnectionError(connection))));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      client.forwardOut("127.0.0.1", 0, target.host, target.port, (error, channel) => {
        if (error) settle(() => reject(forwardError(connection, target, error)));
        else if (signal.aborted) channel.resume().close();
        else settle(() => resolve(channel));
      });
    } catch (error) {
      // ssh2 throws "Not connected" between the end of the stream and the `close` event.
      settle(() => reject(new LostConnectionError(connection, messageOf(error))));
    }
  });
}

type ChannelError = Error & { reason?: number | string };

function forwardError(connection: Connection, { host, port }: Target, error: ChannelError): ConnectionError {
  if (error.reason !== PROHIBITED)
    return new ConnectionError(connection, `cannot connect to ${host}:${port}: ${error.message}`, "transient");
  return new ConnectionError(
    connection,
    `it does not allow forwarding to ${host}:${port}`,
    "refused",
    "set AllowTcpForwarding yes (and PermitOpen, if used) in its sshd_config",
  );
}
