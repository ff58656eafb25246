import type { ClientChannel } from "ssh2";
import type { Connection } from "../../contracts/connection";
import { messageOf } from "../../common/errors";
import { SharedWork } from "../../common/shared-work";
import { type Semaphore, backoff, orAborted } from "../../common/wait";
import type { ConnectionLimit, LimitedConnection } from "./connection-limit";
import { describe } from "./connection";
import type { Dialed, DialRuntime, dial } from "./dial";
import { ConnectionError, JumpError } from "./errors";

const CONNECT_DEADLINE_MS = 45_000;
/** Milliseconds after a failure in which the machine counts as dead, or the login as refused, without a new attempt. */
const FAILURE_MEMORY_MS = 60_000;
/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, section 5.1) */
const PROHIBITED = 1;

/** State that all SSH connections of a provider share. */
export interface SshRuntime extends DialRuntime {
  /**
   * An open connection costs 0.4 MB, a file descriptor and keep-alives, so at the limit the one that has been idle
   * longest is closed.
   */
  readonly limit: ConnectionLimit;
  readonly handshakes: Semaphore;
  readonly dial: typeof dial;
}

/** The SSH connection to one machine. It is opened when it is first used, and again after it was lost. */
export class Transport implements LimitedConnection {
  private operations = 0;
  /**
   * Connections behind a jump host hold slots while they wait for it, so a jump host needs no slot and is never closed.
   */
  private isJump = false;
  private readonly dialing = new SharedWork((signal) => this.open(signal));
  private current: Dialed | undefined;
  private presumedDeadUntil = 0;
  private refusal: { error: ConnectionError; until: number } | undefined;
  /** Milliseconds in which the machine may boot. */
  private bootMs = CONNECT_DEADLINE_MS;
  private shownKey: string | undefined;

  /**
   * @param via transport of the jump host
   * @param onLost called when the connection is lost: another machine may answer the next one
   */
  constructor(
    readonly connection: Connection,
    private readonly runtime: SshRuntime,
    readonly via: Transport | undefined,
    private readonly onLost: () => void,
  ) {
    if (via) via.isJump = true;
  }

  /** The host key that this connection is bound to: the configured one, or that of the first connection. */
  get pin(): string | undefined {
    return this.shownKey ?? this.connection.hostKey;
  }

  /** Allows a new machine more time to boot than an existing one needs to answer. */
  waitAtLeast(seconds: number): void {
    this.bootMs = Math.max(this.bootMs, seconds * 1000);
  }

  /** Forgets that the machine did not answer, or refused the login: the user may have fixed it. */
  forgetFailures(): void {
    this.presumedDeadUntil = 0;
    this.refusal = undefined;
  }

  get idle(): boolean {
    return this.operations === 0 && !this.isJump;
  }

  /** Keeps the connection open while the operation runs. */
  async use<T>(operation: () => Promise<T>): Promise<T> {
    this.operations++;
    try {
      return await operation();
    } finally {
      this.operations--;
      this.runtime.limit.markUsed(this);
    }
  }

  /** Returns the open connection, and opens it first if needed. All callers share it. */
  async connect(signal: AbortSignal): Promise<Dialed> {
    if (this.refusal && this.runtime.clock.now() < this.refusal.until) throw this.refusal.error;
    return await this.dialing.get(signal);
  }

  /** Opens a stream to an address as the machine reaches it. */
  async forward(host: string, port: number, signal: AbortSignal): Promise<ClientChannel> {
    return await this.use(async () => {
      const { client } = await this.connect(signal);
      const opened = new Promise<ClientChannel>((resolve, reject) => {
        const fail = (error: ChannelError) => reject(this.forwardError(host, port, error));
        try {
          client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => (error ? fail(error) : resolve(channel)));
        } catch (error) {
          fail(new Error(messageOf(error))); // ssh2 throws "Not connected" between the end of the stream and `close`
        }
      });
      const channel = await orAborted(opened, signal);
      void this.use(() => new Promise<void>((closed) => channel.on("close", closed)));
      return channel;
    });
  }

  close(): void {
    this.current?.client.end();
    this.dialing.cancel(new Error("the connection was closed"));
    if (this.current) this.drop(this.current);
  }

  private forwardError(host: string, port: number, error: ChannelError): ConnectionError {
    if (error.reason !== PROHIBITED)
      return new ConnectionError(this.connection, `cannot connect to ${host}:${port}: ${error.message}`, "transient");
    return new ConnectionError(
      this.connection,
      `it does not allow forwarding to ${host}:${port}`,
      "refused",
      "set AllowTcpForwarding yes (and PermitOpen, if used) in its sshd_config",
    );
  }

  private drop(lost: Dialed): void {
    if (this.current !== lost) return;
    this.current = undefined;
    this.dialing.reset();
    this.runtime.limit.release(this);
    this.onLost();
  }

  private async open(signal: AbortSignal): Promise<Dialed> {
    const dialed = await this.dialRepeatedly(signal);
    this.current = dialed;
    dialed.client.on("close", () => this.drop(dialed)).on("error", () => this.drop(dialed));
    return dialed;
  }

  /** Retries with backoff while the machine may still boot. */
  private async dialRepeatedly(signal: AbortSignal): Promise<Dialed> {
    const { clock, limit, settings } = this.runtime;
    // A machine that counts as dead gets one attempt, so that ten resources on it do not wait ten times.
    const start = clock.now();
    const deadline = start < this.presumedDeadUntil ? start : start + this.bootMs * settings.patience;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.dialOnce(signal);
      } catch (error) {
        limit.release(this); // another connection may use the slot until then
        signal.throwIfAborted();
        if (!(error instanceof ConnectionError)) throw error;
        if (!error.retryable) throw this.rememberRefusal(error);
        if (clock.now() >= deadline) {
          this.presumedDeadUntil = clock.now() + FAILURE_MEMORY_MS;
          throw error;
        }
        await backoff(attempt, signal);
      }
    }
  }

  private async dialOnce(signal: AbortSignal): Promise<Dialed> {
    const { handshakes, limit, dial: dialTo } = this.runtime;
    if (!this.isJump) await limit.acquire(this, signal);
    const socket = await this.streamThroughJump(signal);
    const { pin: hostKey } = this;
    const pinned = hostKey === undefined ? this.connection : { ...this.connection, hostKey };
    const dialed = await handshakes.use(() => dialTo(pinned, this.runtime, signal, socket), signal);
    if (signal.aborted) dialed.client.end();
    signal.throwIfAborted();
    this.shownKey = dialed.hostKey;
    return dialed;
  }

  /** Repeated logins with refused credentials lock accounts and addresses (fail2ban): one attempt is enough. */
  private rememberRefusal(error: ConnectionError): ConnectionError {
    if (error.kind === "refused" && !(error instanceof JumpError))
      this.refusal = { error, until: this.runtime.clock.now() + FAILURE_MEMORY_MS };
    return error;
  }

  /** Errors of the jump host are not reported as errors of the machine behind it, which may be alive. */
  private async streamThroughJump(signal: AbortSignal): Promise<ClientChannel | undefined> {
    const { via, connection } = this;
    if (!via) return undefined;
    const { host, port } = connection;
    const jumpError = (error: unknown) =>
      error instanceof ConnectionError ? new JumpError(connection, error) : (error as Error);
    await via.connect(signal).catch((error: unknown) => Promise.reject(jumpError(error)));
    try {
      return await via.forward(host, port, signal);
    } catch (error) {
      if (!(error instanceof ConnectionError) || !error.retryable) throw jumpError(error);
      const action = `check that the machine is running and that ${describe(via.connection)} reaches its port ${port}`;
      throw new ConnectionError(connection, error.failure.cause, "transient", action);
    }
  }
}

type ChannelError = Error & { reason?: number | string };
