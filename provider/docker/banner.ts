import { connect } from "node:net";

/**
 * Does an SSH server answer there? A connection alone proves nothing: Docker's own proxy takes it before anybody listens.
 * @param seconds how long to wait for its first words; default 2.
 */
export async function sshAnswers(host: string, port: number, seconds = 2): Promise<boolean> {
  return await new Promise((answer) => {
    const socket = connect({ host, port });
    const end = (result: boolean) => {
      socket.destroy();
      answer(result);
    };
    socket.setTimeout(seconds * 1000, () => end(false));
    socket.once("data", (data: Buffer) => end(data.toString("latin1").startsWith("SSH-")));
    socket.once("error", () => end(false)).once("close", () => end(false));
  });
}
