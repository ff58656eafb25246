import { Agent as HttpAgent, type AgentOptions, type ClientRequestArgs } from "node:http";
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { timeoutSignal } from "../../common/timer";
import type { Remote } from "./remote";

/** Milliseconds to open a stream, before `patience` is applied. */
const OPEN_MS = 60_000;

type Callback = (error: Error | null, stream: Duplex) => void;

/**
 * Opens a stream, through the machine's SSH connection, to an address as the machine reaches it. An API server is
 * therefore reachable wherever SSH is: behind NAT, a jump host or a firewall. No local port is opened to which other
 * local users could connect.
 */
export async function openStream(machine: Remote, host: string, port: number): Promise<Duplex> {
  return await machine.forward(host, port, timeoutSignal(OPEN_MS * machine.patience));
}

/** An HTTP agent whose connections go through a machine's SSH connection. */
export class TunnelHttpAgent extends HttpAgent {
  constructor(
    private readonly machine: Remote,
    options: AgentOptions = {},
  ) {
    super(options);
  }

  override createConnection(options: ClientRequestArgs, callback?: Callback): undefined {
    passTo(callback, openStream(this.machine, hostOf(options), Number(options.port)));
  }
}

/** An HTTPS agent whose connections go through a machine's SSH connection. */
export class TunnelHttpsAgent extends HttpsAgent {
  constructor(
    private readonly machine: Remote,
    options: HttpsAgentOptions = {},
  ) {
    super(options);
  }

  override createConnection(options: RequestOptions, callback?: Callback): undefined {
    const { path: _path, host: _host, port: _port, ...tlsOptions } = options;
    const opened = openStream(this.machine, hostOf(options), Number(options.port));
    passTo(
      callback,
      opened.then((socket) => connectTls({ ...(tlsOptions as object), socket })),
    );
  }
}

function hostOf({ host, hostname }: ClientRequestArgs): string {
  return host ?? hostname ?? "127.0.0.1";
}

function passTo(callback: Callback | undefined, stream: Promise<Duplex>): undefined {
  stream.then(
    (opened) => callback?.(null, opened),
    (error: Error) => callback?.(error, undefined as never),
  );
}
