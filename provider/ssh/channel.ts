import type { Readable, Writable } from "node:stream";
import type { ClientChannel } from "ssh2";
import { startDeadline } from "../../common/timer";
import { type OnLine, OutputCollector, StderrReader } from "./output";

export interface CollectOptions {
  /** Input of the command. A stream is created for each attempt. */
  stdin?: string | Buffer | (() => Readable);
  /**
   * Receives the command's stdout, of any length, which is then not part of the result. A stream is created for each
   * attempt: that of a failed attempt is destroyed, that of the last one has ended when the result arrives.
   */
  stdout?: () => Writable;
  signal: AbortSignal;
  onLine?: OnLine;
  /** Password for sudo, if the command runs under it and it may ask for one. */
  sudoPassword?: string | undefined;
  /** Factor for the time in which sudo must start the command. @default 1 */
  patience?: number;
}

/** Seconds for sudo to start the command, before `patience` is applied; a wrong password delays it. */
const SUDO_SECONDS = 60;

export interface CommandResult {
  code: number;
  /** Whether the command was started. If not, `stderr` is the output of sudo or the login shell. */
  began: boolean;
  stdout: string;
  stderr: string;
}

/** Bytes. A command that prints more is stopped before it fills the provider's memory. */
export const LONGEST_OUTPUT = 16 << 20;
/** Milliseconds to wait for the process group of a command that is stopped. */
const GROUP_MS = 2_000;

/** The command printed more than `LONGEST_OUTPUT` bytes, and was stopped. */
export class OutputLimitError extends Error {}

/**
 * Collects the output of a command. The password is written when sudo asks for it, and the command's input when the
 * command runs, so that neither is mistaken for the other.
 * @param kill stops the command's process group on the machine
 * @returns undefined if the channel closed without an exit status: the connection was lost, or the command was killed
 */
export function collectOutput(
  channel: ClientChannel,
  options: CollectOptions,
  kill: (group: string) => void,
): Promise<CommandResult | undefined> {
  return new Promise((resolve, reject) => {
    const run = new RunningCommand(channel, options, kill, reject);
    let code: number | undefined;
    // A command that was killed by a signal has no exit code; a shell reports 128 and more.
    channel.on("exit", (status: number | null) => (code = status ?? 128));
    channel.on("error", () => undefined);
    channel.on("close", () => {
      run.release();
      run.endOutput(code === undefined, () => resolve(code === undefined ? undefined : { code, ...run.output() }));
    });
    run.start(resolve);
  });
}

/** A command whose channel is open. */
class RunningCommand {
  private readonly stdout: OutputCollector;
  private readonly stderr: StderrReader;
  private remaining = LONGEST_OUTPUT;
  private isStopped = false;
  private receiver: Writable | undefined;
  private readonly onAbort = () => this.stop(this.options.signal.reason as Error);

  constructor(
    private readonly channel: ClientChannel,
    private readonly options: CollectOptions,
    private readonly kill: (group: string) => void,
    private readonly fail: (error: Error) => void,
  ) {
    this.stdout = new OutputCollector(options.onLine);
    this.stderr = new StderrReader(options.onLine);
  }

  start(giveUp: (result: CommandResult) => void): void {
    const { signal, sudoPassword, patience = 1 } = this.options;
    this.openReceiver();
    this.channel.on("data", (data: Buffer) => (this.receiver ? this.passOn(data) : this.receive(data, this.stdout)));
    this.channel.stderr.on("data", (data: Buffer) => this.receive(data, this.stderr));
    signal.addEventListener("abort", this.onAbort, { once: true });
    if (signal.aborted) this.onAbort();
    if (sudoPassword === undefined) this.writeInput();
    else this.becomeRoot(sudoPassword, SUDO_SECONDS * patience, giveUp);
  }

  release(): void {
    this.options.signal.removeEventListener("abort", this.onAbort);
  }

  /** Ends the stream that receives stdout, and calls `then` once it has stored everything. */
  endOutput(isLost: boolean, then: () => void): void {
    const { receiver } = this;
    if (!receiver || receiver.destroyed) return then();
    if (!isLost && !this.isStopped) return void receiver.end(then);
    receiver.destroy();
    then();
  }

  private openReceiver(): void {
    this.guard(() => {
      this.receiver = this.options.stdout?.().on("error", (error: Error) => this.stop(error));
    });
  }

  /** Passes output on, and waits while the receiver is slower than the connection. */
  private passOn(data: Buffer): void {
    if (this.isStopped || !this.receiver || this.receiver.write(data)) return;
    this.channel.pause();
    this.receiver.once("drain", () => this.channel.resume());
  }

  output(): Omit<CommandResult, "code"> {
    return { began: this.stderr.began, stdout: this.stdout.text(), stderr: this.stderr.text() };
  }

  private receive(data: Buffer, reader: OutputCollector | StderrReader): void {
    this.remaining -= data.length;
    if (this.remaining < 0)
      this.stop(new OutputLimitError(`the command printed more than ${LONGEST_OUTPUT >> 20} MiB`));
    if (this.isStopped && reader !== this.stderr) return;
    this.guard(() => reader.push(data));
  }

  /** Rejects the result, and stops the command on the machine. */
  private stop(reason: Error): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.stderr.dropOutput();
    this.fail(reason);
    const timer = setTimeout(() => this.channel.close(), GROUP_MS).unref();
    // stdout may arrive before earlier stderr, so the line with the process group may not have arrived yet.
    this.stderr.whenGroup((group) => {
      clearTimeout(timer);
      this.kill(group);
      this.channel.close();
    });
  }

  private writeInput(): void {
    const { stdin } = this.options;
    if (typeof stdin !== "function") {
      this.channel.end(stdin ?? "");
      return;
    }
    // Otherwise the command waits for the rest of its input.
    this.guard(() => {
      const input = stdin().on("error", (error: Error) => this.stop(error));
      this.channel.on("close", () => input.destroy());
      input.pipe(this.channel);
    });
  }

  /** Stops the command if a function of the caller throws: ssh2 would close the connection of all commands. */
  private guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.stop(error as Error);
    }
  }

  private becomeRoot(password: string, seconds: number, giveUp: (result: CommandResult) => void): void {
    const { channel, stderr } = this;
    const timer = startDeadline(seconds, () => {
      const message = stderr.text() || `sudo did not start the command within ${seconds} s`;
      giveUp({ code: 1, began: false, stdout: "", stderr: message });
      channel.close();
    });
    channel.on("close", () => clearTimeout(timer));
    stderr.whenGroup(() => {
      clearTimeout(timer);
      this.writeInput();
    });
    let prompts = 0;
    stderr.onPrompt = () => {
      if (prompts++ === 0) channel.write(`${password}\n`);
      else channel.end(); // The password was wrong. A second attempt may lock the account.
    };
  }
}
