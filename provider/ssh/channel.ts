import { StringDecoder } from "node:string_decoder";
import type { Readable } from "node:stream";
import type { ClientChannel } from "ssh2";

export interface CollectOptions {
  /** A stream is made anew for each attempt. */
  stdin?: string | Buffer | (() => Readable);
  signal: AbortSignal;
  /** Called for each line of output as it comes; a line of more than 64 KiB comes in pieces. */
  onLine?: (line: string) => void;
  /** For sudo, where the command runs under it and it may ask. */
  sudoPassword?: string | undefined;
}

/** What sudo says when it wants a password: a line of its own, so that it is not mistaken for anything else. */
export const SUDO_PROMPT = "kubewright: sudo wants the password\n";
/** Seconds for sudo to let us in; a wrong password costs it some. */
const SUDO_SECONDS = 60;

export interface CommandResult {
  code: number;
  /** Whether the command was started at all. Where not, `stderr` is what sudo or the login shell said. */
  began: boolean;
  stdout: string;
  stderr: string;
}

/** Nothing that we ask a machine answers with more; what does is ended before it fills our memory. */
export const LONGEST_OUTPUT = 16 << 20;
const LONGEST_LINE = 64 << 10;
/** How long a stopped command may take to tell its process group. */
const GROUP_MS = 2_000;

/** The command said more than `LONGEST_OUTPUT` bytes, and was stopped. */
export class OutputLimitError extends Error {}

/**
 * What a command says is data from outside: bounded here, and made printable where it is shown.
 * Undefined where the channel closed without an exit status: the connection broke, or the command was killed. A password is given to
 * sudo when it asks, and the command's own input only once it runs: so neither can be taken for the other.
 */
export function collectOutput(
  channel: ClientChannel,
  options: CollectOptions,
  kill: (group: string) => void,
): Promise<CommandResult | undefined> {
  return new Promise((done, fail) => {
    const { onLine: lines, sudoPassword } = options;
    const out = new Heard(lines);
    const errors = new StderrReader(lines);
    let code: number | undefined;
    let room = LONGEST_OUTPUT;
    let stopped = false;
    if (sudoPassword === undefined) feed(channel, options.stdin, fail);
    else becomeRoot(channel, errors, sudoPassword, () => feed(channel, options.stdin, fail), done);
    const stop = (reason: Error) => {
      if (stopped) return;
      stopped = true;
      errors.onlyGroup();
      fail(reason);
      const end = setTimeout(() => channel.close(), GROUP_MS).unref();
      // sshd may bring stdout before the stderr that was written first: the group is waited for.
      errors.whenGroup((group) => {
        clearTimeout(end);
        kill(group);
        channel.close();
      });
    };
    const take = (reader: Heard | StderrReader) => (data: Buffer) => {
      room -= data.length;
      if (room < 0) stop(new OutputLimitError(`it says more than ${LONGEST_OUTPUT >> 20} MiB`));
      if (!stopped || reader === errors) reader.push(data);
    };
    const abort = () => stop(options.signal.reason as Error);
    options.signal.addEventListener("abort", abort, { once: true });
    if (options.signal.aborted) abort();
    channel.on("data", take(out));
    channel.stderr.on("data", take(errors));
    // A command that was killed by a signal has no code: 128 as a shell would say.
    channel.on("exit", (status: number | null) => (code = status ?? 128));
    channel.on("error", () => undefined);
    channel.on("close", () => {
      options.signal.removeEventListener("abort", abort);
      done(code === undefined ? undefined : { code, began: errors.began, stdout: out.text(), stderr: errors.text() });
    });
  });
}

function becomeRoot(
  channel: ClientChannel,
  errors: StderrReader,
  password: string,
  begin: () => void,
  giveUp: (said: CommandResult) => void,
): void {
  const late = setTimeout(() => {
    giveUp({
      code: 1,
      began: false,
      stdout: "",
      stderr: errors.text() || `sudo let nobody in within ${SUDO_SECONDS} s`,
    });
    channel.close();
  }, SUDO_SECONDS * 1000);
  channel.on("close", () => clearTimeout(late));
  errors.whenGroup(() => {
    clearTimeout(late);
    begin();
  });
  let asked = 0;
  errors.onPrompt = () => {
    if (asked++ === 0) channel.write(`${password}\n`);
    else channel.end(); // It was wrong, and is not given again: some hosts lock out who tries too often.
  };
}

/** Bytes as they come: kept, and told line by line. */
class Heard {
  private readonly kept: Buffer[] = [];
  private readonly tell: ((data: Buffer) => void) | undefined;

  constructor(onLine: CollectOptions["onLine"]) {
    this.tell = onLine && lineSplitter(onLine);
  }

  push(data: Buffer): void {
    this.kept.push(data);
    this.tell?.(data);
  }

  text(): string {
    return Buffer.concat(this.kept).toString();
  }
}

/** Our wrapper's line, and not of process 1: to kill "group 1" is to kill everything. */
const GROUP = /^process-group ((?!1\n)[1-9]\d{0,9})\n$/;

/** stderr. Before the command's own there are lines of sudo and the login shell, and last among them the process group. */
class StderrReader {
  onPrompt: (() => void) | undefined;
  private group: string | undefined;
  private readonly waiting: ((group: string) => void)[] = [];
  private rest = Buffer.alloc(0);
  private complaint = "";
  private dropping = false;
  private readonly heard: Heard;

  constructor(onLine: CollectOptions["onLine"]) {
    this.heard = new Heard(onLine);
  }

  get began(): boolean {
    return this.group !== undefined;
  }

  whenGroup(action: (group: string) => void): void {
    if (this.group === undefined) this.waiting.push(action);
    else action(this.group);
  }

  /** From now on the rest is of no interest. */
  onlyGroup(): void {
    this.dropping = true;
  }

  push(data: Buffer): void {
    if (this.group !== undefined) return this.keep(data);
    this.rest = Buffer.concat([this.rest, data]);
    for (let end = this.rest.indexOf("\n"); end >= 0 && this.group === undefined; end = this.rest.indexOf("\n"))
      this.before(this.take(end + 1));
    if (this.group !== undefined) this.keep(this.take(this.rest.length));
    else if (this.rest.length > LONGEST_LINE) this.before(this.take(this.rest.length));
  }

  private take(length: number): Buffer {
    const taken = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    return taken;
  }

  private before(data: Buffer): void {
    const line = data.toString();
    const group = GROUP.exec(line)?.[1];
    if (group !== undefined) {
      this.group = group;
      for (const action of this.waiting) action(group);
    } else if (line.endsWith(SUDO_PROMPT)) this.onPrompt?.();
    else if (!this.dropping) this.complaint += line;
  }

  private keep(data: Buffer): void {
    if (!this.dropping && data.length > 0) this.heard.push(data);
  }

  text(): string {
    return this.began ? this.heard.text() : `${this.complaint}${this.rest.toString()}`;
  }
}

function feed(channel: ClientChannel, stdin: CollectOptions["stdin"], fail: (error: Error) => void): void {
  if (typeof stdin !== "function") {
    channel.end(stdin ?? "");
    return;
  }
  stdin().on("error", fail).pipe(channel);
}

function lineSplitter(onLine: (line: string) => void): (data: Buffer) => void {
  const decoder = new StringDecoder(); // a character may come in two pieces
  let rest = "";
  return (data) => {
    const lines = (rest + decoder.write(data)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) {
      lines.push(rest);
      rest = "";
    }
    for (const line of lines) if (line.trim()) onLine(line);
  };
}
