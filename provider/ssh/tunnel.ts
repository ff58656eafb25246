import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Remote } from "./remote";

/**
 * A loopback port of the controller that leads, through the machine's pooled SSH connection, to a port on the machine itself. So the
 * API server is reached wherever SSH is, behind NAT, a jump host or a firewall, and no further port need be open to us.
 * @param host another one, as the machine reaches it
 */
export async function tunnel(
  machine: Remote,
  port: number,
  host = "127.0.0.1",
): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => void connect(machine, host, port, socket));
  await new Promise<void>((done, fail) => server.once("error", fail).listen(0, "127.0.0.1", done));
  server.unref();
  return { port: (server.address() as AddressInfo).port, server };
}

async function connect(machine: Remote, host: string, port: number, socket: Socket): Promise<void> {
  socket.on("error", () => undefined);
  try {
    const channel = await machine.forward(host, port, AbortSignal.timeout(60_000));
    channel.on("error", () => socket.destroy());
    channel.on("close", () => socket.destroy());
    socket.on("close", () => channel.close());
    socket.pipe(channel).pipe(socket);
  } catch {
    socket.destroy(); // The client on the other side sees a broken connection, and tries again.
  }
}
