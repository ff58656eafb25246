import { once } from "node:events";
import { connect } from "node:tls";
import { messageOf } from "../../common/errors";
import type { Remote } from "./remote";
import { openStream } from "./tunnel";

const PROBE_MS = 5_000;

/**
 * Returns why the certificate at a port of the machine is not valid for the host; undefined if it is.
 * @throws Error if nothing answers there
 */
export async function probeCertificate(
  machine: Remote,
  port: number,
  { host, ca }: { host: string; ca: string },
): Promise<string | undefined> {
  const stream = await openStream(machine, "127.0.0.1", port);
  const socket = connect({ socket: stream, servername: host, ca, rejectUnauthorized: false });
  const where = `${machine.label}, port ${port}`;
  try {
    await once(socket, "secureConnect", { signal: AbortSignal.timeout(PROBE_MS) });
    return socket.authorized ? undefined : `${where}: ${String(socket.authorizationError)}`;
  } catch (error) {
    throw new Error(`${where}: ${messageOf(error)}`, { cause: error });
  } finally {
    socket.destroy();
    stream.destroy();
  }
}
