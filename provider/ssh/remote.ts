import type { Client, ClientChannel } from "ssh2";
import type { Connection } from "../../contracts/connection";
import { DeadlineError, StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import { printable } from "../../common/printable";
import { startDeadline } from "../../common/timer";
import { SharedWork } from "../../common/shared-work";
import { Semaphore, backoff, orAborted } from "../../common/wait";
import type { ScriptResult } from "./batch-script";
import { OutputLimitError, type CommandResult } from "./channel";
import { ChannelRefusedError, runCommand, type CommandOptions } from "./command";
import { describe } from "./connection";
import { LostConnectionError, RootError } from "./errors";
import { ReadBatcher } from "./read-batcher";
import { LOST_RETRIES, Transport, type SshRuntime } from "./transport";

/** Channels in parallel. sshd's MaxSessions is 10, and closed channels are released late. */
const CHANNELS = 6;
const REFUSED_RETRIES = 10;
/** Characters of a command's output in an error. */
const TAIL = 600;
/** A machine-id has 32 digits (machine-id(5)); the limit keeps other output out of the state. */
const MACHINE_ID_LENGTH = 64;
/** Seconds that a command may take by default; one that reads a stream may take longer. */
const DEFAULT_SECONDS = 300;
const DEFAULT_STREAM_SECONDS = 3_600;

/** Accepts every exit code: a command whose code is its result. */
export const ANY_CODE: readonly number[] = Array.from({ length: 256 }, (_, code) => code);

export interface ReadOptions {
  /** What the script does, for the error: `kubeadm join`. */
  step: string;
  signal: AbortSignal;
  /** Exit codes that are results, not failures. @default [0] */
  accept?: readonly number[];
  /** The user's next action when the command fails. */
  action?: string;
}

/** Options with input. Secrets are passed in `stdin` only. */
export interface RunOptions extends ReadOptions, CommandOptions {
  /** Seconds. @default 300, or 3600 if `stdin` is a stream */
  timeout?: number;
  /** Whether the script changes nothing on the machine, so that an adoption may run it. @default false */
  isReadOnly?: boolean;
}

/** A machine on which scripts run as root, over one SSH connection. */
export class Remote {
  private readonly transport: Transport;
  private readonly reads = new ReadBatcher((script, context) => this.execute(script, context));
  private readonly channels = new Semaphore(CHANNELS);
  private readonly identity = new SharedWork((signal) => this.readMachineId(signal));

  /** @param via the jump host through which this machine is reached */
  constructor(
    readonly connection: Connection,
    private readonly runtime: SshRuntime,
    readonly via?: Remote,
  ) {
    this.transport = new Transport(connection, runtime, via?.transport, () => this.identity.reset());
  }

  /** The host key that this connection is bound to: the configured one, or that of the first connection. */
  get pin(): string | undefined {
    return this.transport.pin;
  }

  /** Whether no operation uses the connection. */
  get idle(): boolean {
    return this.transport.idle;
  }

  /** Factor for deadlines, from the provider's settings. */
  get patience(): number {
    return this.runtime.settings.patience;
  }

  /** Name and address, for messages. */
  get label(): string {
    return describe(this.connection);
  }

  /** Allows a new machine more time to boot than an existing one needs to answer. */
  waitAtLeast(seconds: number): void {
    this.transport.waitAtLeast(seconds);
  }

  forgetFailures(): void {
    this.transport.forgetFailures();
  }

  /** Returns the host key that the machine presented. */
  async hostKey(signal: AbortSignal): Promise<string> {
    return (await this.transport.use(() => this.transport.connect(signal))).hostKey;
  }

  /** Returns the keys of the jump hosts, beginning with the one that is closest to the machine. */
  async jumpHostKeys(signal: AbortSignal): Promise<string[]> {
    return this.via ? [await this.via.hostKey(signal), ...(await this.via.jumpHostKeys(signal))] : [];
  }

  /**
   * Runs a POSIX shell script as root. After a lost connection the script runs again, so scripts must be idempotent.
   * @throws StepError if the exit code is not in `accept`, or while an adoption must change nothing
   * @throws ConnectionError if the machine cannot be reached
   * @throws RootError if the script cannot run as root
   */
  async run(script: string, options: RunOptions): Promise<CommandResult> {
    if (this.runtime.settings.adopting && !options.isReadOnly) throw this.changeError(options.step);
    return this.requireSuccess(await this.execute(script, options), options);
  }

  /** Runs a read-only script without input. Parallel reads share one round trip. */
  async read(script: string, options: ReadOptions): Promise<ScriptResult> {
    const result = await this.transport.use(async () => {
      // All callers that wait for the connection are in one batch once it is open.
      await this.transport.connect(options.signal);
      return await this.reads.read(script, options);
    });
    return this.requireSuccess(result, options);
  }

  /** Returns the machine-id, which a rebuilt machine at the same address does not share. Read once per connection. */
  machineId(signal: AbortSignal): Promise<string> {
    return this.identity.get(signal);
  }

  /** Opens a stream to an address as the machine reaches it: the API server, or a machine behind a jump host. */
  async forward(host: string, port: number, signal: AbortSignal): Promise<ClientChannel> {
    return await this.transport.forward(host, port, signal);
  }

  close(): void {
    this.transport.close();
  }

  private changeError(step: string): StepError {
    const action = "report this as a bug of Kubewright";
    return new StepError({ step, machine: this.label, cause: "an adoption changes nothing on machines", action });
  }

  private async readMachineId(signal: AbortSignal): Promise<string> {
    const { stdout } = await this.read("cat /etc/machine-id", { step: "reading the machine-id", signal });
    return printable(stdout.trim()).slice(0, MACHINE_ID_LENGTH);
  }

  private requireSuccess<T extends ScriptResult>(result: T, { step, accept = [0], action }: ReadOptions): T {
    if (accept.includes(result.code)) return result;
    const cause = outputTail(result) || `exit code ${result.code}`;
    throw new StepError({ step, machine: this.label, cause, ...optional({ action }) });
  }

  private async execute(script: string, options: RunOptions): Promise<CommandResult> {
    const { step, signal } = options;
    const { clock, trace } = this.runtime;
    const start = clock.now();
    const run = () => this.transport.use(() => this.executeWithRetries(script, options));
    const result = await this.channels.use(run, signal);
    trace({ ssh: "exec", host: this.connection.host, name: this.connection.name, step, start, end: clock.now() });
    if (!result.began) throw new RootError(this.connection, step, outputTail(result));
    return result;
  }

  private async executeWithRetries(script: string, options: RunOptions): Promise<CommandResult> {
    const { step, signal } = options;
    for (let lost = 0, refused = 0; ;) {
      signal.throwIfAborted();
      const { client } = await this.transport.connect(signal);
      try {
        return await this.executeOnce(client, script, options);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof OutputLimitError) throw new StepError({ step, machine: this.label, cause: error.message });
        if (error instanceof ChannelRefusedError ? ++refused > REFUSED_RETRIES : !isLost(error)) throw error;
        if (isLost(error) && ++lost > LOST_RETRIES) throw error;
        await backoff(lost + refused, signal);
      }
    }
  }

  private async executeOnce(client: Client, script: string, options: RunOptions): Promise<CommandResult> {
    const { step, stdin, timeout = typeof stdin === "function" ? DEFAULT_STREAM_SECONDS : DEFAULT_SECONDS } = options;
    const seconds = timeout * this.patience;
    const deadline = new AbortController();
    const onDeadline = () =>
      deadline.abort(new DeadlineError({ step, machine: this.label, cause: `not finished within ${seconds} s` }));
    const timer = startDeadline(seconds, onDeadline);
    const signal = AbortSignal.any([options.signal, deadline.signal]);
    try {
      return await orAborted(
        runCommand(client, this.connection, script, { ...options, signal, patience: this.patience }),
        signal,
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

function isLost(error: unknown): boolean {
  return error instanceof LostConnectionError;
}

/** Returns the end of the output. Warnings of containerd's tools (logrus) are dropped where there is other output. */
function outputTail({ stdout, stderr }: ScriptResult): string {
  const output = stderr.trim() || stdout.trim();
  const errors = output
    .split("\n")
    .filter((line) => !/\blevel=(debug|info|warning)\b/.test(line))
    .join("\n");
  return (errors || output).slice(-TAIL);
}
