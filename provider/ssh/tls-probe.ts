import { once } from "node:events";
import { isIP } from "node:net";
import { connect } from "node:tls";
import { timeoutSignal } from "../../common/timer";
import { messageOf } from "../../common/errors";
import type { Remote } from "./remote";
import { openStream } from "./tunnel";

const PROBE_MS = 5_000;

export interface ProbedServer {
  /** Name or address for which the certificate must be valid. */
  host: string;
  /** Certificate of the CA, PEM. */
  ca: string;
  /** Address to which the machine connects. @default 127.0.0.1 */
  address?: string;
}

/**
 * Returns why the certificate at a port is not valid for the host; undefined if it is.
 * @throws Error if nothing answers there
 */
export async function probeCertificate(
  machine: Remote,
  port: number,
  { host, ca, address = "127.0.0.1" }: ProbedServer,
): Promise<string | undefined> {
  const stream = await openStream(machine, address, port);
  const socket = connect({ socket: stream, host, ...serverName(host), ca, rejectUnauthorized: false });
  const where = `${machine.label}, port ${port}`;
  try {
    await once(socket, "secureConnect", { signal: timeoutSignal(PROBE_MS) });
    return socket.authorized ? undefined : `${where}: ${String(socket.authorizationError)}`;
  } catch (error) {
    throw new Error(`${where}: ${messageOf(error)}`, { cause: error });
  } finally {
    socket.destroy();
    stream.destroy();
  }
}

/** An address is not sent as a server's name (RFC 6066). */
function serverName(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}
