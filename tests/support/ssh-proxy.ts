import { readFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { SshMessageSplitter, type Sender, type SshMessage } from "./ssh-messages";

/**
 * What happens to a connection: `reset` (RST) and `close` (FIN) in both directions, `delay` (both directions pause) and
 * `stall` (both directions stop, and the connection stays open).
 */
export type Fault = "reset" | "close" | "delay" | "stall";
export const FAULTS: readonly Fault[] = ["reset", "close", "delay", "stall"];

export interface FaultPlan {
  fault: Fault;
  /** The fault occurs after this message: the nth of this sender, from 0. */
  sender: Sender;
  index: number;
  /** Whether all connections have the fault, or only the first. */
  repeated: boolean;
}

/** Milliseconds in which the receiver handles the message after which the connection is cut. */
const SETTLE_MS = 10;
const DELAY_MS = 150;

/** A TCP proxy before an SSH server. It recognizes the messages of both sides, and injects faults between them. */
export class SshProxy {
  readonly links: ProxyLink[] = [];
  plan: FaultPlan | undefined;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(targetPort: number): Promise<SshProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((listening, fail) => server.once("error", fail).listen(0, "127.0.0.1", listening));
    const address = server.address();
    const proxy = new SshProxy(server, typeof address === "object" && address ? address.port : 0);
    server.on("connection", (client) => proxy.accept(client, targetPort));
    return proxy;
  }

  /** How many connections had the fault. */
  get faults(): number {
    return this.links.filter(({ hasFault }) => hasFault).length;
  }

  async stop(): Promise<void> {
    for (const link of this.links) link.destroy();
    await new Promise((closed) => this.server.close(closed));
  }

  private accept(client: Socket, targetPort: number): void {
    const isFaulty = this.plan && (this.plan.repeated || this.links.length === 0);
    const server = connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.links.push(new ProxyLink({ client, server }, isFaulty ? this.plan : undefined));
  }
}

/** One connection through the proxy. */
export class ProxyLink {
  hasFault = false;
  /** Names of the messages that passed, by sender. */
  readonly passed: Record<Sender, string[]> = { client: [], server: [] };
  /** Bytes that passed, by sender. */
  readonly bytes: Record<Sender, number> = { client: 0, server: 0 };
  private readonly splitters = { client: new SshMessageSplitter(), server: new SshMessageSplitter() };
  private held: (() => void)[] | undefined;
  private isCut = false;

  constructor(
    private readonly sockets: Record<Sender, Socket>,
    private readonly plan: FaultPlan | undefined,
  ) {
    this.watch("client");
    this.watch("server");
  }

  destroy(): void {
    this.isCut = true;
    for (const socket of Object.values(this.sockets)) socket.destroy();
  }

  private watch(sender: Sender): void {
    const socket = this.sockets[sender];
    socket.on("data", (data) => {
      for (const message of this.splitters[sender].push(data)) this.later(() => this.pass(sender, message));
    });
    socket.on("end", () => this.later(() => this.receiverOf(sender).end()));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (!this.isCut) this.receiverOf(sender).destroy();
    });
  }

  /** Runs the action, or keeps it while the connection is held. */
  private later(action: () => void): void {
    if (this.isCut) return;
    if (this.held) this.held.push(action);
    else action();
  }

  private pass(sender: Sender, { bytes, name }: SshMessage): void {
    this.receiverOf(sender).write(bytes);
    this.passed[sender].push(name);
    this.bytes[sender] += bytes.length;
    const { plan } = this;
    if (plan?.sender !== sender || this.passed[sender].length !== plan.index + 1) return;
    this.hasFault = true;
    this.held = [];
    this.inject(plan.fault);
  }

  private inject(fault: Fault): void {
    const sockets = Object.values(this.sockets);
    if (fault === "stall") sockets.forEach((socket) => socket.pause());
    else if (fault === "delay") setTimeout(() => this.resume(), DELAY_MS);
    else setTimeout(() => this.cut(fault === "reset"), SETTLE_MS);
  }

  private cut(isReset: boolean): void {
    this.isCut = true;
    for (const socket of Object.values(this.sockets)) {
      if (isReset) socket.resetAndDestroy();
      else socket.end();
    }
  }

  private resume(): void {
    const actions = this.held ?? [];
    this.held = undefined;
    for (const action of actions) this.later(action);
  }

  private receiverOf(sender: Sender): Socket {
    return this.sockets[sender === "client" ? "server" : "client"];
  }
}

/** Counts the sockets of all processes that are connected to a port on loopback, half-closed ones included. */
export async function countSocketsTo(port: number): Promise<number> {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = (await readFile("/proc/net/tcp", "utf8")).trim().split("\n").slice(1);
  // Columns: number, local address, remote address, state, queues, timer, retransmissions, uid, timeout, inode. A
  // socket without an inode belongs to no process.
  return rows.map((row) => row.trim().split(/\s+/)).filter((row) => row[2] === remote && row[9] !== "0").length;
}
