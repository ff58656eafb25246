import type { Client, ClientChannel } from "ssh2";
import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { Semaphore, backoff } from "../../common/wait";
import { collect, type Collected, type CollectOptions } from "./channel";
import { ConnectionError, dial, type Dialed } from "./dial";
import { describe, type Connection } from "./connection";

// sshd's MaxSessions is 10 and freed late.
const CHANNELS = 6;
const CONNECT_DEADLINE_MS = 45_000;
const PRESUMED_DEAD_MS = 60_000;
const LOST_RETRIES = 3;
const TAIL = 600;

/** `stdin` is fed to the command: the place for secrets. */
export interface RunOptions extends CollectOptions {
  /** What is being done, for the error: `kubeadm join`. */
  step: string;
  /** Seconds; default none. */
  timeout?: number;
  /** Exit codes that are answers, not failures; default [0]. */
  accept?: readonly number[];
  /** What the person does next when it fails. */
  action?: string;
}

export type RunResult = Collected;

/** A machine behind one SSH connection, which is made when first needed and again when it was lost. */
export class Remote {
  private dialed: Promise<Dialed> | undefined;
  private identity: Promise<string> | undefined;
  private deadUntil = 0;
  private met: string | undefined;
  private readonly channels = new Semaphore(CHANNELS);

  constructor(readonly connection: Connection) {}

  /** The key that this connection is bound to: the given one, or the one that was met. */
  get pin(): string | undefined {
    return this.connection.hostKey ?? this.met;
  }

  get label(): string {
    return describe(this.connection);
  }

  /** The host key that was shown on the connection. */
  async hostKey(signal: AbortSignal): Promise<string> {
    return (await this.connect(signal)).hostKey;
  }

  /**
   * Runs a POSIX shell script as root. Scripts are idempotent, so one that a lost connection cut off is run again.
   * @throws StepError on another exit code than `accept` has; ConnectionError when the machine cannot be reached.
   */
  async run(script: string, options: RunOptions): Promise<RunResult> {
    const result = await this.channels.use(() => this.attempts(script, { ...options, signal: this.limited(options) }));
    if ((options.accept ?? [0]).includes(result.code)) return result;
    const said = (result.stderr.trim() || result.stdout.trim()).slice(-TAIL);
    throw new StepError({
      step: options.step,
      machine: this.label,
      cause: said || `exit code ${result.code}`,
      ...(options.action ? { action: options.action } : {}),
    });
  }

  private limited({ signal, timeout, step }: RunOptions): AbortSignal {
    if (!timeout) return signal;
    const late = new StepError({ step, machine: this.label, cause: `no end within ${timeout} s` });
    const limit = new AbortController();
    setTimeout(() => limit.abort(late), timeout * 1000).unref();
    return AbortSignal.any([signal, limit.signal]);
  }

  /** The machine-id, which a rebuilt machine on the same address does not share; read once per connection. */
  machineId(signal: AbortSignal): Promise<string> {
    this.identity ??= this.run("cat /etc/machine-id", { step: "reading the machine-id", signal })
      .then(({ stdout }) => stdout.trim())
      .catch((error: unknown) => {
        this.identity = undefined;
        throw error;
      });
    return this.identity;
  }

  /** A stream to an address as the machine sees it: how the API server is reached through the same connection. */
  async forward(host: string, port: number, signal: AbortSignal): Promise<ClientChannel> {
    const { client } = await this.connect(signal);
    return new Promise((done, fail) => {
      client.forwardOut("127.0.0.1", 0, host, port, (error, channel) =>
        error ? fail(new ConnectionError(this.connection, `no way to ${host}:${port}: ${error.message}`, true)) : done(channel),
      );
    });
  }

  close(): void {
    void this.dialed?.then(({ client }) => client.end()).catch(() => undefined);
    this.forget();
  }

  private forget(): void {
    this.dialed = undefined;
    this.identity = undefined;
  }

  private async attempts(script: string, options: RunOptions): Promise<RunResult> {
    for (let lost = 0, refused = 0; ; ) {
      options.signal.throwIfAborted();
      const { client } = await this.connect(options.signal);
      try {
        return await this.once(client, script, options);
      } catch (error) {
        options.signal.throwIfAborted();
        if (!(error instanceof ConnectionError)) throw error;
        if (error.retryable ? ++lost > LOST_RETRIES : ++refused > 10) throw error;
        await backoff(lost + refused, options.signal);
      }
    }
  }

  /** One connection for everybody; retried with backoff while the machine may still come up. */
  private connect(signal: AbortSignal): Promise<Dialed> {
    this.dialed ??= this.dialPatiently(signal).catch((error: unknown) => {
      this.dialed = undefined;
      throw error;
    });
    return this.dialed;
  }

  private async dialPatiently(signal: AbortSignal): Promise<Dialed> {
    // Whoever comes after a wait in vain gets one try: ten resources on a dead machine do not wait ten times.
    const deadline = Date.now() < this.deadUntil ? 0 : Date.now() + CONNECT_DEADLINE_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        const dialed = await dial(this.pin === undefined ? this.connection : { ...this.connection, hostKey: this.pin }, signal);
        this.met = dialed.hostKey;
        dialed.client.on("close", () => this.forget()).on("error", () => this.forget());
        return dialed;
      } catch (error) {
        if (!(error instanceof ConnectionError) || !error.retryable) throw error;
        if (Date.now() > deadline) {
          this.deadUntil = Date.now() + PRESUMED_DEAD_MS;
          throw error;
        }
        await backoff(attempt, signal);
      }
    }
  }

  private once(client: Client, script: string, options: RunOptions): Promise<RunResult> {
    // The first line of stderr is the process, which is also its group (sshd made it a session of its own): what to kill on a stop,
    // for sshd itself passes no signals on for root. Nothing of the script is in the wrapper, so its own exit code comes through.
    const shell = `/bin/sh -c 'echo $$ >&2; exec /bin/sh -c "$0"' ${quote(script)}`;
    const sudo = (this.connection.user ?? "root") === "root" ? "" : "sudo -n ";
    return new Promise((done, fail) => {
      const lost = () => fail(new ConnectionError(this.connection, "the connection was lost", true));
      client.once("close", lost);
      client.exec(`exec ${sudo}${shell}`, (error, channel) => {
        if (error) {
          client.removeListener("close", lost);
          // A refused channel says that sshd is still closing others: try again, on the same connection.
          return fail(new ConnectionError(this.connection, error.message, false));
        }
        // Listeners go on before this callback returns, or the exit code of a quick command is missed.
        const settle = (action: () => void) => {
          client.removeListener("close", lost);
          action();
        };
        const kill = (group: string) => client.exec(`${sudo}kill -TERM -${group}`, (_, killer) => killer?.resume());
        collect(channel, options, kill).then(
          (result) => settle(() => (result ? done(result) : lost())),
          (reason: Error) => settle(() => fail(reason)),
        );
      });
    });
  }
}
