import { Server, utils, type AuthContext, type Connection, type ServerChannel } from "ssh2";
import type { AddressInfo } from "node:net";
import { run } from "../../common/process";
import { publicKeyOf } from "../../provider/ssh/host-key";
import { newKeyPair } from "../../provider/ssh/key-pair";

/**
 * An SSH server that takes the place of a machine: connections of this computer to the machine's address lead to it. It
 * accepts every login and every command, and records what it is offered. The machine itself goes on running.
 */
export class Impostor {
  readonly hostKey: string;
  connections = 0;
  /** Logins, passwords, commands and their input, in order. */
  readonly received: string[] = [];
  private rule: string[] = [];

  private constructor(
    private readonly server: Server,
    key: string,
  ) {
    const parsed = utils.parseKey(key);
    if (parsed instanceof Error) throw parsed;
    this.hostKey = publicKeyOf(parsed.getPublicSSH());
  }

  /** Starts the server. It is reached at its own port until `takeOver`. */
  static async start(): Promise<Impostor> {
    const key = newKeyPair().private;
    const server = new Server({ hostKeys: [key] });
    const impostor = new Impostor(server, key);
    server.on("connection", (client: Connection) => impostor.serve(client));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return impostor;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Redirects connections of this computer to port 22 of the address. Requires root. */
  async takeOver(address: string): Promise<void> {
    this.rule = ["OUTPUT", "-d", address, "-p", "tcp", "--dport", "22"];
    this.rule.push("-j", "REDIRECT", "--to-ports", String(this.port));
    await run("iptables", ["-t", "nat", "-I", ...this.rule]);
  }

  /** Lets connections reach the machine again. */
  async giveBack(): Promise<void> {
    if (this.rule.length > 0) await run("iptables", ["-t", "nat", "-D", ...this.rule]);
    this.rule = [];
  }

  async stop(): Promise<void> {
    await this.giveBack();
    this.server.close();
  }

  private serve(client: Connection): void {
    this.connections++;
    client.on("error", () => undefined); // the other side closes the connection when it has seen the host key
    client.on("authentication", (attempt) => this.authenticate(attempt));
    client.on("session", (accept) => {
      accept().on("exec", (acceptCommand, _reject, { command }) => this.execute(acceptCommand(), command));
    });
  }

  private authenticate(attempt: AuthContext): void {
    const password = attempt.method === "password" ? ` ${attempt.password}` : "";
    this.received.push(`login of ${attempt.username} by ${attempt.method}${password}`);
    // Refuses everything else, so that a client that offers a password at all offers it here.
    if (attempt.method === "password") attempt.accept();
    else attempt.reject(["password"]);
  }

  private execute(channel: ServerChannel, command: string): void {
    this.received.push(`command ${command}`);
    const end = () => {
      channel.exit(0);
      channel.end();
    };
    const prompt = / -p '([^']*)'/.exec(command)?.[1]; // sudo's
    if (prompt) channel.stderr.write(prompt);
    channel.on("data", (data: Buffer) => {
      this.received.push(`input ${data.toString()}`);
      if (prompt) end();
    });
    channel.on("end", end);
  }
}
