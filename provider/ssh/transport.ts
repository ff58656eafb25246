import type { ClientChannel } from "ssh2";
import type { Clock } from "../../common/clock";
import { type Semaphore, backoff, orAborted } from "../../common/wait";
import type { ProviderSettings } from "../settings";
import type { Trace } from "../trace";
import { type Connection } from "../../contracts/connection";
import { describe } from "./connection";
import { dial, type Dialed } from "./dial";
import { ConnectionError, JumpError } from "./errors";
import type { ConnectionLimit, LimitedConnection } from "./connection-limit";

const CONNECT_DEADLINE_MS = 45_000;
const PRESUMED_DEAD_MS = 60_000;
/** RFC 4254, section 5.1: the server's administrator does not allow the forwarding. */
const PROHIBITED = 1;

/** What all SSH connections of a provider share. */
export interface SshRuntime {
  readonly settings: Pick<ProviderSettings, "patience" | "agentSocket">;
  readonly clock: Clock;
  readonly trace: Trace;
  /** An open connection costs 0.4 MB, a file descriptor and keep-alives: beyond the limit the longest idle one is closed. */
  readonly places: ConnectionLimit;
  readonly handshakes: Semaphore;
}

/** The SSH connection to one machine, which is made when first needed and again when it was lost. */
export class Transport implements LimitedConnection {
  private working = 0;
  private waiters = 0;
  private giveUp: AbortController | undefined;
  /** Machines behind it wait for it while they hold places of their own: so it needs none, and keeps its connection. */
  private isJump = false;
  private dialed: Promise<Dialed> | undefined;
  private deadUntil = 0;
  /** In which the machine may come up. */
  private bootMs = CONNECT_DEADLINE_MS;
  private met: string | undefined;

  /** `via`: the way through a jump host. `onLost`: what was known by this connection need not be so on the next. */
  constructor(
    readonly connection: Connection,
    private readonly runtime: SshRuntime,
    readonly via: Transport | undefined,
    private readonly onLost: () => void,
  ) {
    if (via) via.isJump = true;
  }

  /** The key that this connection is bound to: the given one, or the one that was met. */
  get pin(): string | undefined {
    return this.connection.hostKey ?? this.met;
  }

  /** For a machine that was just made: it may take longer to boot than one that is there takes to answer. */
  waitAtLeast(seconds: number): void {
    this.bootMs = Math.max(this.bootMs, seconds * 1000);
  }

  get idle(): boolean {
    return this.working === 0 && !this.isJump;
  }

  /** Keeps the connection's place for as long as the work lasts. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.working++;
    try {
      return await work();
    } finally {
      this.working--;
      this.runtime.places.markUsed(this);
    }
  }

  /** One connection for everybody who waits for it; given up when none of them does any more. */
  async connect(signal: AbortSignal): Promise<Dialed> {
    const dialed = (this.dialed ??= this.open());
    this.waiters++;
    try {
      return await orAborted(dialed, signal);
    } finally {
      if (--this.waiters === 0) this.giveUp?.abort(signal.reason);
    }
  }

  /** A stream to an address as the machine sees it. */
  async forward(host: string, port: number, signal: AbortSignal): Promise<ClientChannel> {
    return await this.use(async () => {
      const { client } = await this.connect(signal);
      const opened = new Promise<ClientChannel>((done, fail) => {
        client.forwardOut("127.0.0.1", 0, host, port, (error, channel) =>
          error ? fail(this.noWay(host, port, error)) : done(channel),
        );
      });
      const channel = await orAborted(opened, signal);
      void this.use(() => new Promise<void>((closed) => channel.on("close", closed)));
      return channel;
    });
  }

  close(): void {
    void this.dialed?.then(({ client }) => client.end()).catch(() => undefined);
    this.forget(this.dialed);
  }

  private noWay(host: string, port: number, error: Error & { reason?: number | string }): ConnectionError {
    if (error.reason !== PROHIBITED)
      return new ConnectionError(this.connection, `no way to ${host}:${port}: ${error.message}`, true);
    return new ConnectionError(
      this.connection,
      `it does not forward to ${host}:${port}`,
      false,
      "set AllowTcpForwarding yes (and PermitOpen, if used) in its sshd_config",
    );
  }

  /** Only the connection that was lost: another may have been made since. */
  private forget(lost: Promise<Dialed> | undefined): void {
    if (this.dialed !== lost) return;
    this.runtime.places.release(this);
    this.dialed = undefined;
    this.onLost();
  }

  private open(): Promise<Dialed> {
    const giveUp = new AbortController();
    this.giveUp = giveUp;
    const dialed = this.dialPatiently(giveUp.signal).finally(() => (this.giveUp = undefined));
    dialed.then(
      ({ client }) => client.on("close", () => this.forget(dialed)).on("error", () => this.forget(dialed)),
      () => this.forget(dialed),
    );
    return dialed;
  }

  /** Retried with backoff while the machine may still come up. */
  private async dialPatiently(signal: AbortSignal): Promise<Dialed> {
    for (let attempt = 1, deadline = 0; ; attempt++) {
      try {
        if (!this.isJump) await this.runtime.places.acquire(this, signal);
        // Whoever comes after a wait in vain gets one try: ten resources on a dead machine do not wait ten times.
        if (attempt === 1 && this.runtime.clock.now() > this.deadUntil)
          deadline = this.runtime.clock.now() + this.bootMs * this.runtime.settings.patience;
        const pinned = this.pin === undefined ? this.connection : { ...this.connection, hostKey: this.pin };
        const through = await this.throughJump(signal);
        const dialed = await this.runtime.handshakes.use(() => dial(pinned, this.runtime, signal, through));
        this.met = dialed.hostKey;
        return dialed;
      } catch (error) {
        this.runtime.places.release(this); // another may try meanwhile
        if (!(error instanceof ConnectionError) || !error.retryable) throw error;
        if (this.runtime.clock.now() > deadline) {
          this.deadUntil = this.runtime.clock.now() + PRESUMED_DEAD_MS;
          throw error;
        }
        await backoff(attempt, signal);
      }
    }
  }

  /** What the jump host says of its own troubles is not said of the machine, which may well be alive behind it. */
  private async throughJump(signal: AbortSignal): Promise<ClientChannel | undefined> {
    const { via, connection } = this;
    if (!via) return undefined;
    const { host, port } = connection;
    const troubled = (error: unknown) => (error instanceof ConnectionError ? new JumpError(connection, error) : error);
    await via.connect(signal).catch((error: unknown) => Promise.reject(troubled(error) as Error));
    try {
      return await via.forward(host, port, signal);
    } catch (error) {
      if (error instanceof ConnectionError && error.retryable)
        throw new ConnectionError(
          connection,
          error.failure.cause,
          true,
          `is the machine up and port ${port} open to ${describe(via.connection)}?`,
        );
      throw troubled(error);
    }
  }
}
