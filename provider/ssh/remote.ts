import type { Client, ClientChannel } from "ssh2";
import { StepError } from "../../common/errors";
import { printable } from "../../common/printable";
import { quote } from "../../common/quote";
import { Semaphore, backoff, orAborted } from "../../common/wait";
import { trace } from "../trace";
import { SUDO_PROMPT, TooMuchOutput, collect, type Collected, type CollectOptions } from "./channel";
import { describe, type Connection } from "./connection";
import { dial, type Dialed } from "./dial";
import { ConnectionError, JumpError, RootError } from "./errors";
import { Places, type Tenant } from "./places";

// sshd's MaxSessions is 10 and freed late.
const CHANNELS = 6;
const CONNECT_DEADLINE_MS = 45_000;
const PRESUMED_DEAD_MS = 60_000;
const LOST_RETRIES = 3;
const TAIL = 600;
/** machine-id(5) is 32 digits; what is no machine-id is kept from filling the state. */
const IDENTITY_LENGTH = 64;
/** Open at once, over all machines: a connection costs 0.4 MB, a file descriptor and keep-alives. With more machines they take turns. */
const OPEN_CONNECTIONS = Number(process.env.KUBEWRIGHT_CONNECTIONS) || 256;
/** Handshakes at once: each takes some 10 ms of one processor, and must end within its 15 s. */
const DIALING = 16;
/** Seconds that a command may take, if nothing else is said: nothing waits for ever. What is fed from a stream may be long on its way. */
const DEFAULT_SECONDS = 300;
const DEFAULT_STREAM_SECONDS = 3_600;
/** RFC 4254, section 5.1: the server's administrator does not allow the forwarding. */
const PROHIBITED = 1;
/** Linux' MAX_ARG_STRLEN: to sshd's shell the whole command is one argument. */
const LONGEST_COMMAND = 128 << 10;

/** `stdin` is fed to the command: the place for secrets. */
export interface RunOptions extends Omit<CollectOptions, "sudoPassword"> {
  /** What is being done, for the error: `kubeadm join`. */
  step: string;
  /** Seconds; default 300, and an hour for what is fed from a stream. */
  timeout?: number;
  /** Exit codes that are answers, not failures; default [0]. */
  accept?: readonly number[];
  /** What the person does next when it fails. */
  action?: string;
}

export type RunResult = Collected;

const places = new Places(OPEN_CONNECTIONS);
const dialing = new Semaphore(DIALING);

/** A machine behind one SSH connection, which is made when first needed and again when it was lost. */
export class Remote implements Tenant {
  private working = 0;
  private waiters = 0;
  private giveUp: AbortController | undefined;
  /** Machines behind it wait for it while they hold places of their own: so it needs none, and keeps its connection. */
  private isJump = false;
  private dialed: Promise<Dialed> | undefined;
  private identity: Promise<string> | undefined;
  private deadUntil = 0;
  /** Milliseconds in which the machine may come up. */
  private patience = CONNECT_DEADLINE_MS;
  private met: string | undefined;
  private readonly channels = new Semaphore(CHANNELS);

  /** `via`: the jump host through which this machine is reached. */
  constructor(
    readonly connection: Connection,
    readonly via?: Remote,
  ) {
    if (via) via.isJump = true;
  }

  /** The key that this connection is bound to: the given one, or the one that was met. */
  get pin(): string | undefined {
    return this.connection.hostKey ?? this.met;
  }

  get label(): string {
    return describe(this.connection);
  }

  /** For a machine that was just made: it may take longer to boot than one that is there takes to answer. */
  waitAtLeast(seconds: number): void {
    this.patience = Math.max(this.patience, seconds * 1000);
  }

  /** The host key that was shown on the connection. */
  async hostKey(signal: AbortSignal): Promise<string> {
    return (await this.atWork(() => this.connect(signal))).hostKey;
  }

  /** The keys of the hosts on the way, the nearest to the machine first. */
  async jumpHostKeys(signal: AbortSignal): Promise<string[]> {
    return this.via ? [await this.via.hostKey(signal), ...(await this.via.jumpHostKeys(signal))] : [];
  }

  /**
   * Runs a POSIX shell script as root. Scripts are idempotent, so one that a lost connection cut off is run again.
   * @throws StepError on another exit code than `accept` has; ConnectionError when the machine cannot be reached, RootError when we are not let be root.
   */
  async run(script: string, options: RunOptions): Promise<RunResult> {
    const start = Date.now();
    const result = await this.channels.use(() => this.atWork(() => this.attempts(script, options)));
    trace({ ssh: "exec", host: this.connection.host, name: this.connection.name, step: options.step, start, end: Date.now() });
    const said = (result.stderr.trim() || result.stdout.trim()).slice(-TAIL);
    if (!result.began) throw new RootError(this.connection, options.step, said);
    if ((options.accept ?? [0]).includes(result.code)) return result;
    throw new StepError({
      step: options.step,
      machine: this.label,
      cause: said || `exit code ${result.code}`,
      ...(options.action ? { action: options.action } : {}),
    });
  }

  get idle(): boolean {
    return this.working === 0 && !this.isJump;
  }

  private async atWork<T>(work: () => Promise<T>): Promise<T> {
    this.working++;
    try {
      return await work();
    } finally {
      this.working--;
      places.rested(this);
    }
  }

  /** Runs with the options' signal, which the step's deadline aborts too. */
  private async limited<T>(options: RunOptions, work: (options: RunOptions) => Promise<T>): Promise<T> {
    const { step, stdin, timeout = typeof stdin === "function" ? DEFAULT_STREAM_SECONDS : DEFAULT_SECONDS } = options;
    const limit = new AbortController();
    const late = () => limit.abort(new StepError({ step, machine: this.label, cause: `no end within ${timeout} s` }));
    const timer = setTimeout(late, timeout * 1000);
    try {
      return await work({ ...options, signal: AbortSignal.any([options.signal, limit.signal]) });
    } finally {
      clearTimeout(timer);
    }
  }

  /** The machine-id, which a rebuilt machine on the same address does not share; read once per connection. */
  machineId(signal: AbortSignal): Promise<string> {
    this.identity ??= this.run("cat /etc/machine-id", { step: "reading the machine-id", signal })
      .then(({ stdout }) => printable(stdout.trim()).slice(0, IDENTITY_LENGTH))
      .catch((error: unknown) => {
        this.identity = undefined;
        throw error;
      });
    return this.identity;
  }

  /** A stream to an address as the machine sees it: how the API server is reached through the same connection, and what is behind a jump host. */
  async forward(host: string, port: number, signal: AbortSignal): Promise<ClientChannel> {
    return await this.atWork(async () => {
      const { client } = await this.connect(signal);
      const opened = new Promise<ClientChannel>((done, fail) => {
        client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => (error ? fail(this.noWay(host, port, error)) : done(channel)));
      });
      const channel = await orAborted(opened, signal);
      void this.atWork(() => new Promise<void>((closed) => channel.on("close", closed)));
      return channel;
    });
  }

  private noWay(host: string, port: number, error: Error & { reason?: number | string }): ConnectionError {
    if (error.reason !== PROHIBITED) return new ConnectionError(this.connection, `no way to ${host}:${port}: ${error.message}`, true);
    return new ConnectionError(this.connection, `it does not forward to ${host}:${port}`, false, "set AllowTcpForwarding yes (and PermitOpen, if used) in its sshd_config");
  }

  close(): void {
    void this.dialed?.then(({ client }) => client.end()).catch(() => undefined);
    this.forget(this.dialed);
  }

  /** Only the connection that was lost: another may have been made since. */
  private forget(lost: Promise<Dialed> | undefined): void {
    if (this.dialed !== lost) return;
    places.leave(this);
    this.dialed = undefined;
    this.identity = undefined;
  }

  private async attempts(script: string, options: RunOptions): Promise<RunResult> {
    for (let lost = 0, refused = 0; ; ) {
      options.signal.throwIfAborted();
      const { client } = await this.connect(options.signal);
      try {
        return await this.limited(options, (limited) => orAborted(this.once(client, script, limited), limited.signal));
      } catch (error) {
        options.signal.throwIfAborted();
        if (error instanceof TooMuchOutput) throw new StepError({ step: options.step, machine: this.label, cause: error.message });
        if (!(error instanceof ConnectionError)) throw error;
        if (error.retryable ? ++lost > LOST_RETRIES : ++refused > 10) throw error;
        await backoff(lost + refused, options.signal);
      }
    }
  }

  /** One connection for everybody who waits for it; given up when none of them does any more. */
  private async connect(signal: AbortSignal): Promise<Dialed> {
    const dialed = (this.dialed ??= this.open());
    this.waiters++;
    try {
      return await orAborted(dialed, signal);
    } finally {
      if (--this.waiters === 0) this.giveUp?.abort(signal.reason);
    }
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
        if (!this.isJump) await places.take(this, signal);
        // Whoever comes after a wait in vain gets one try: ten resources on a dead machine do not wait ten times.
        if (attempt === 1 && Date.now() > this.deadUntil) deadline = Date.now() + this.patience;
        const pinned = this.pin === undefined ? this.connection : { ...this.connection, hostKey: this.pin };
        const through = await this.throughJump(signal);
        const dialed = await dialing.use(() => dial(pinned, signal, through));
        this.met = dialed.hostKey;
        return dialed;
      } catch (error) {
        places.leave(this); // another may try meanwhile
        if (!(error instanceof ConnectionError) || !error.retryable) throw error;
        if (Date.now() > deadline) {
          this.deadUntil = Date.now() + PRESUMED_DEAD_MS;
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
    const { host, port = 22 } = connection;
    const troubled = (error: unknown) => (error instanceof ConnectionError ? new JumpError(connection, error) : error);
    await via.connect(signal).catch((error: unknown) => Promise.reject(troubled(error) as Error));
    try {
      return await via.forward(host, port, signal);
    } catch (error) {
      if (error instanceof ConnectionError && error.retryable) throw new ConnectionError(connection, error.failure.cause, true, `is the machine up and port ${port} open to ${describe(via.connection)}?`);
      throw troubled(error);
    }
  }

  private once(client: Client, script: string, options: RunOptions): Promise<RunResult> {
    const command = this.asRoot(script);
    this.refuseTooLong(command, options.step);
    return new Promise((done, fail) => {
      const lost = () => fail(new ConnectionError(this.connection, "the connection was lost", true));
      client.once("close", lost);
      // Listeners go on before the callback returns, or the exit code of a quick command is missed.
      client.exec(command, (error, channel) => {
        if (error) {
          client.removeListener("close", lost);
          // A refused channel says that sshd is still closing others: try again, on the same connection.
          return fail(new ConnectionError(this.connection, error.message, false));
        }
        const settle = (action: () => void) => {
          client.removeListener("close", lost);
          action();
        };
        const { sudoPassword } = this;
        const kill = (group: string) => void this.once(client, `kill -TERM -${group}`, { step: "stopping", signal: new AbortController().signal }).catch(() => undefined);
        collect(channel, { ...options, sudoPassword }, kill).then(
          (result) => settle(() => (result ? done(result) : lost())),
          (reason: Error) => settle(() => fail(reason)),
        );
      });
    });
  }

  private refuseTooLong(command: string, step: string): void {
    const bytes = Buffer.byteLength(command);
    if (bytes < LONGEST_COMMAND) return;
    const cause = `it is a command of ${Math.ceil(bytes / 1024)} KiB, and Linux takes ${LONGEST_COMMAND >> 10} KiB`;
    throw new StepError({ step, machine: this.label, cause, action: "divide it: fewer or shorter paths in one resource" });
  }

  private get isRoot(): boolean {
    return (this.connection.user ?? "root") === "root";
  }

  private get sudoPassword(): string | undefined {
    return this.isRoot ? undefined : this.connection.sudoPassword;
  }

  /**
   * The script's own exit code comes through. Its process group goes to stderr first: what to kill on a stop, for sshd itself passes no
   * signals on for root. It is looked up, since sudo may or may not have made one. With -k sudo asks whether or not it was told before.
   */
  private asRoot(script: string): string {
    const shell = `/bin/sh -c 'read -r _ _ _ _ group _ </proc/$$/stat; echo "process-group $group" >&2; exec /bin/sh -c "$0"' ${quote(script)}`;
    const sudo = this.sudoPassword === undefined ? "sudo -n" : `sudo -S -k -p ${quote(SUDO_PROMPT)}`;
    return `exec ${this.isRoot ? "" : `${sudo} `}${shell}`;
  }
}
