import { connect } from "node:net";

/**
 * Returns whether an SSH server sends its banner. An open connection alone is no proof: Docker's proxy accepts
 * connections to published ports before the machine listens.
 * @param seconds Time limit for the banner.
 */
export async function hasSshBanner(host: string, port: number, seconds = 2): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(seconds * 1000, () => end(false));
    socket.once("data", (data: Buffer) => end(data.toString("latin1").startsWith("SSH-")));
    socket.once("error", () => end(false)).once("close", () => end(false));
  });
}
