import type { Client, ClientChannel } from "ssh2";
import { DeadlineError, StepError } from "../../common/errors";
import { printable } from "../../common/printable";
import { Semaphore, backoff, orAborted } from "../../common/wait";
import type { ScriptResult } from "./batch-script";
import { OutputLimitError, type CommandResult } from "./channel";
import { runCommand, type CommandOptions } from "./command";
import { type Connection } from "../../contracts/connection";
import { describe } from "./connection";
import { ConnectionError, RootError } from "./errors";
import { Transport, type SshRuntime } from "./transport";
import { ReadBatcher } from "./read-batcher";

// sshd's MaxSessions is 10 and freed late.
const CHANNELS = 6;
const LOST_RETRIES = 3;
const REFUSED_RETRIES = 10;
/** Characters of what a command said that go into an error. */
const TAIL = 600;
/** machine-id(5) is 32 digits; what is no machine-id is kept from filling the state. */
const IDENTITY_LENGTH = 64;
/** Seconds that a command may take, if nothing else is said: nothing waits for ever. What is fed from a stream may be long on its way. */
const DEFAULT_SECONDS = 300;
const DEFAULT_STREAM_SECONDS = 3_600;

export interface ReadOptions {
  /** What is being done, for the error: `kubeadm join`. */
  step: string;
  signal: AbortSignal;
  /** Exit codes that are answers, not failures; default [0]. */
  accept?: readonly number[];
  /** What the person does next when it fails. */
  action?: string;
}

/** `stdin` is fed to the command: the place for secrets. */
export interface RunOptions extends ReadOptions, CommandOptions {
  /** Seconds; default 300, and an hour for what is fed from a stream. */
  timeout?: number;
}

/** A machine, on which scripts are run as root over one connection. */
export class Remote {
  private readonly link: Transport;
  private readonly looks = new ReadBatcher((script, how) => this.execute(script, how));
  private readonly channels = new Semaphore(CHANNELS);
  private identity: Promise<string> | undefined;

  /** `via`: the jump host through which this machine is reached. */
  constructor(
    readonly connection: Connection,
    private readonly runtime: SshRuntime,
    readonly via?: Remote,
  ) {
    this.link = new Transport(connection, runtime, via?.link, () => (this.identity = undefined));
  }

  /** The key that this connection is bound to: the given one, or the one that was met. */
  get pin(): string | undefined {
    return this.link.pin;
  }

  /** Factor for deadlines, from the provider's settings. */
  get patience(): number {
    return this.runtime.settings.patience;
  }

  get label(): string {
    return describe(this.connection);
  }

  /** For a machine that was just made: it may take longer to boot than one that is there takes to answer. */
  waitAtLeast(seconds: number): void {
    this.link.waitAtLeast(seconds);
  }

  /** The host key that was shown on the connection. */
  async hostKey(signal: AbortSignal): Promise<string> {
    return (await this.link.use(() => this.link.connect(signal))).hostKey;
  }

  /** The keys of the hosts on the way, the nearest to the machine first. */
  async jumpHostKeys(signal: AbortSignal): Promise<string[]> {
    return this.via ? [await this.via.hostKey(signal), ...(await this.via.jumpHostKeys(signal))] : [];
  }

  /**
   * Runs a POSIX shell script as root. Scripts are idempotent, so one that a lost connection cut off is run again.
   * @throws StepError on another exit code than `accept` has; ConnectionError when the machine cannot be reached, RootError when we are not let be root.
   */
  async run(script: string, options: RunOptions): Promise<CommandResult> {
    return this.judged(await this.execute(script, options), options);
  }

  /** As `run`, for a script that changes nothing and needs no input: many that are asked for at once cost one round trip. */
  async read(script: string, options: ReadOptions): Promise<ScriptResult> {
    const answer = await this.link.use(async () => {
      // Whoever waits for the connection asks together with all others who do.
      await this.link.connect(options.signal);
      return await this.looks.read(script, options);
    });
    return this.judged(answer, options);
  }

  /** The machine-id, which a rebuilt machine on the same address does not share; read once per connection. */
  machineId(signal: AbortSignal): Promise<string> {
    this.identity ??= this.read("cat /etc/machine-id", { step: "reading the machine-id", signal })
      .then(({ stdout }) => printable(stdout.trim()).slice(0, IDENTITY_LENGTH))
      .catch((error: unknown) => {
        this.identity = undefined;
        throw error;
      });
    return this.identity;
  }

  /** A stream to an address as the machine sees it: how the API server is reached through the same connection, and what is behind a jump host. */
  async forward(host: string, port: number, signal: AbortSignal): Promise<ClientChannel> {
    return await this.link.forward(host, port, signal);
  }

  close(): void {
    this.link.close();
  }

  private judged<T extends ScriptResult>(answer: T, { step, accept = [0], action }: ReadOptions): T {
    if (accept.includes(answer.code)) return answer;
    throw new StepError({
      step,
      machine: this.label,
      cause: said(answer) || `exit code ${answer.code}`,
      ...(action ? { action } : {}),
    });
  }

  private async execute(script: string, options: RunOptions): Promise<CommandResult> {
    const { step } = options;
    const { clock, trace } = this.runtime;
    const start = clock.now();
    const result = await this.channels.use(() => this.link.use(() => this.attempts(script, options)));
    trace({ ssh: "exec", host: this.connection.host, name: this.connection.name, step, start, end: clock.now() });
    if (!result.began) throw new RootError(this.connection, step, said(result));
    return result;
  }

  private async attempts(script: string, options: RunOptions): Promise<CommandResult> {
    for (let lost = 0, refused = 0; ;) {
      options.signal.throwIfAborted();
      const { client } = await this.link.connect(options.signal);
      try {
        return await this.limited(client, script, options);
      } catch (error) {
        options.signal.throwIfAborted();
        if (error instanceof OutputLimitError)
          throw new StepError({ step: options.step, machine: this.label, cause: error.message });
        if (!(error instanceof ConnectionError)) throw error;
        if (error.retryable ? ++lost > LOST_RETRIES : ++refused > REFUSED_RETRIES) throw error;
        await backoff(lost + refused, options.signal);
      }
    }
  }

  /** One attempt, which the step's deadline ends too. */
  private async limited(client: Client, script: string, options: RunOptions): Promise<CommandResult> {
    const { step, stdin, timeout = typeof stdin === "function" ? DEFAULT_STREAM_SECONDS : DEFAULT_SECONDS } = options;
    const seconds = timeout * this.patience;
    const limit = new AbortController();
    const late = () =>
      limit.abort(new DeadlineError({ step, machine: this.label, cause: `no end within ${seconds} s` }));
    const timer = setTimeout(late, seconds * 1000);
    const signal = AbortSignal.any([options.signal, limit.signal]);
    try {
      return await orAborted(runCommand(client, this.connection, script, { ...options, signal }), signal);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The last words; a program's own warnings (logrus, as in containerd's tools) are no cause where it says anything else. */
function said({ stdout, stderr }: ScriptResult): string {
  const all = stderr.trim() || stdout.trim();
  const telling = all
    .split("\n")
    .filter((line) => !/\blevel=(debug|info|warning)\b/.test(line))
    .join("\n");
  return (telling || all).slice(-TAIL);
}
