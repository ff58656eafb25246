import type { ClientChannel } from "ssh2";
import type { Connection } from "../../contracts/connection";
import { SharedWork } from "../../common/shared-work";
import { type Semaphore, backoff } from "../../common/wait";
import type { ConnectionLimit, LimitedConnection } from "./connection-limit";
import { describe } from "./connection";
import { type Dialed, onLost } from "./client";
import type { DialRuntime, dial } from "./dial";
import { ConnectionError, JumpError, LostConnectionError } from "./errors";
import { openForward } from "./forward";
import type { MissingKeys } from "./missing-keys";

const CONNECT_DEADLINE_MS = 45_000;
/** Milliseconds after a failure in which the machine counts as dead, or the login as refused, without a new attempt. */
const FAILURE_MEMORY_MS = 60_000;
/** Attempts to repeat what a lost connection interrupted. */
export const LOST_RETRIES = 3;

/** State that all SSH connections of a provider share. */
export interface SshRuntime extends DialRuntime {
  /**
   * An open connection costs 0.4 MB, a file descriptor and keep-alives, so at the limit the one that has been idle
   * longest is closed.
   */
  readonly limit: ConnectionLimit;
  readonly handshakes: Semaphore;
  readonly missingKeys: MissingKeys;
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
  private lastAttempt: Promise<unknown> = Promise.resolve();
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
    const dialed = await this.dialing.get(signal);
    if (dialed.isOpen) return dialed;
    this.drop(dialed);
    return await this.dialing.get(signal);
  }

  /** Opens a stream to an address as the machine reaches it, and opens it again if the connection is lost before. */
  async forward(host: string, port: number, signal: AbortSignal): Promise<ClientChannel> {
    return await this.use(async () => {
      for (let attempt = 1; ; attempt++) {
        const dialed = await this.connect(signal);
        try {
          const channel = await openForward(dialed, this.connection, { host, port }, signal);
          void this.use(() => closed(channel, dialed));
          return channel;
        } catch (error) {
          if (!(error instanceof LostConnectionError) || attempt > LOST_RETRIES) throw error;
          await backoff(attempt, signal);
        }
      }
    });
  }

  close(): void {
    this.dialing.cancel(new Error("the connection was closed"));
    if (this.current) this.drop(this.current);
  }

  private drop(lost: Dialed): void {
    if (this.current !== lost) return;
    this.current = undefined;
    lost.close();
    this.dialing.reset();
    this.runtime.limit.release(this);
    this.onLost();
  }

  /** Waits for an attempt that is being aborted: it would release the slot of the new one. */
  private open(signal: AbortSignal): Promise<Dialed> {
    const opened = this.lastAttempt.then(() => this.openNow(signal));
    this.lastAttempt = opened.catch(() => undefined);
    return opened;
  }

  private async openNow(signal: AbortSignal): Promise<Dialed> {
    const dialed = await this.dialRepeatedly(signal);
    if (signal.aborted) {
      dialed.close();
      this.runtime.limit.release(this);
    }
    signal.throwIfAborted();
    this.current = dialed;
    onLost(dialed.client, () => this.drop(dialed));
    return dialed;
  }

  /** Retries with backoff while the machine may still boot. */
  private async dialRepeatedly(signal: AbortSignal): Promise<Dialed> {
    const { clock, limit, missingKeys, settings } = this.runtime;
    await missingKeys.wait(this.connection, signal);
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

/** Waits until a channel is closed. One whose data is not read reports no end after the connection was lost. */
function closed(channel: ClientChannel, { client }: Dialed): Promise<void> {
  return new Promise((resolve) => {
    const stopWatching = onLost(client, resolve);
    channel.on("close", () => {
      stopWatching();
      resolve();
    });
  });
}
