import { Duplex } from "node:stream";
import { Server, utils, type AuthContext, type Connection as Client, type ServerChannel } from "ssh2";
import { optional } from "../../common/optional";
import type { Dialed } from "../../provider/ssh/client";
import { Connections, type SshSettings } from "../../provider/ssh/connections";
import { dial } from "../../provider/ssh/dial";
import { publicKeyOf } from "../../provider/ssh/host-key";
import { newKeyPair } from "../../provider/ssh/key-pair";
import { DEFAULT_SETTINGS } from "../../provider/settings/settings";

export interface Behavior {
  /** Decides over each attempt to log in. Default: keys are accepted. */
  authenticate?: (attempt: AuthContext, client: Client) => void;
  /** Runs a command. Default: it succeeds without output. */
  run?: (channel: ServerChannel, command: string, client: Client) => void;
  /** Opens a stream to an address. Default: it is refused. */
  forward?: (accept: () => ServerChannel, reject: () => void) => void;
}

/** Prints the process group, as the wrapper of every command does, and the output. */
export function answer(channel: ServerChannel, output: string, code = 0): void {
  channel.stderr.write("process-group 4711\n");
  channel.write(output);
  channel.exit(code);
  channel.end();
}

/** An SSH server without a network: its clients are connected by streams. */
export class InMemorySsh {
  private keys = newKeyPair();
  readonly userKey = newKeyPair().private;
  readonly passwords: string[] = [];
  readonly clients = new Set<Client>();
  /** The clients' ends of all connections. */
  readonly streams: Duplex[] = [];
  connections = 0;

  constructor(public behavior: Behavior = {}) {}

  /** `ssh-ed25519 AAAA...` */
  get hostKey(): string {
    const key = utils.parseKey(this.keys.private);
    if (key instanceof Error) throw key;
    return publicKeyOf(key.getPublicSSH());
  }

  changeHostKey(): void {
    this.keys = newKeyPair();
  }

  /** A stream whose other end is served. */
  connect(): Duplex {
    const [near, far] = streamPair();
    this.streams.push(near);
    const server = new Server({ hostKeys: [this.keys.private] }, (client) => this.serve(client));
    this.connections++;
    server.injectSocket(far as never);
    return near;
  }

  connection() {
    return {
      name: "worker-1",
      host: "10.0.0.11",
      port: 22,
      user: "root",
      privateKey: this.userKey,
      hostKey: this.hostKey,
    };
  }

  /**
   * A pool whose connections lead to this server.
   * @param onDialed called before a connection is handed to the pool
   */
  pool(
    settings: Partial<SshSettings> = {},
    clock?: { now(): number },
    onDialed?: (dialed: Dialed) => Promise<void>,
  ): Connections {
    return new Connections(
      { ...DEFAULT_SETTINGS, ...settings },
      {
        ...optional({ clock }),
        dialer: async (connection, runtime, signal) => {
          const dialed = await dial(connection, runtime, signal, this.connect());
          await onDialed?.(dialed);
          return dialed;
        },
      },
    );
  }

  dropAll(): void {
    for (const client of this.clients) client.end();
  }

  private serve(client: Client): void {
    client.on("error", () => undefined);
    this.clients.add(client);
    client.on("close", () => this.clients.delete(client));
    client.on("authentication", (attempt) => {
      if (attempt.method === "password") this.passwords.push(attempt.password);
      const accept = () => (attempt.method === "publickey" ? attempt.accept() : attempt.reject(["publickey"]));
      if (this.behavior.authenticate) this.behavior.authenticate(attempt, client);
      else accept();
    });
    client.on("tcpip", (accept, reject) => (this.behavior.forward ? this.behavior.forward(accept, reject) : reject()));
    client.on("session", (acceptSession) => {
      acceptSession().on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        channel.on("error", () => undefined);
        if (this.behavior.run) this.behavior.run(channel, command, client);
        else answer(channel, "");
      });
    });
  }
}

function streamPair(): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const end = (other: () => Duplex | undefined) =>
    new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        setImmediate(() => other()?.push(chunk));
        done();
      },
      final: (done) => {
        setImmediate(() => other()?.push(null));
        done();
      },
      destroy: (_error, done) => {
        setImmediate(() => other()?.push(null));
        done(null);
      },
    });
  ends.push(
    end(() => ends[1]),
    end(() => ends[0]),
  );
  return ends as [Duplex, Duplex];
}
