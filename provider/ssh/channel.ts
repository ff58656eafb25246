import type { Readable } from "node:stream";
import type { ClientChannel } from "ssh2";

export interface CollectOptions {
  /** A stream is made anew for each attempt. */
  stdin?: string | Buffer | (() => Readable);
  signal: AbortSignal;
  /** Called for each line of output as it comes. */
  onLine?: (line: string) => void;
  /** For sudo, where the command runs under it and it may ask. */
  sudoPassword?: string | undefined;
}

/** What sudo says when it wants a password: a line of its own, so that it is not mistaken for anything else. */
export const SUDO_PROMPT = "kubewright: sudo wants the password\n";
/** Seconds for sudo to let us in; a wrong password costs it some. */
const SUDO_SECONDS = 60;

export interface Collected {
  code: number;
  /** Whether the command was started at all. Where not, `stderr` is what sudo or the login shell said. */
  began: boolean;
  stdout: string;
  stderr: string;
}

/**
 * Undefined where the channel closed without an exit status: the connection broke, or the command was killed. A password is given to
 * sudo when it asks, and the command's own input only once it runs: so neither can be taken for the other.
 */
export function collect(channel: ClientChannel, options: CollectOptions, kill: (group: string) => void): Promise<Collected | undefined> {
  return new Promise((done, fail) => {
    const out: Buffer[] = [];
    const { onLine: lines, sudoPassword } = options;
    const errors = new StderrReader(lines && lineSplitter(lines));
    const hear = lines && lineSplitter(lines);
    let code: number | undefined;
    if (sudoPassword === undefined) feed(channel, options.stdin, fail);
    else becomeRoot(channel, errors, sudoPassword, () => feed(channel, options.stdin, fail), done);
    const abort = () => {
      fail(options.signal.reason as Error);
      // sshd may bring stdout before the stderr that was written first: the group is waited for.
      errors.whenGroup((group) => {
        kill(group);
        channel.close();
      });
    };
    options.signal.addEventListener("abort", abort, { once: true });
    channel.on("data", (data: Buffer) => (out.push(data), hear?.(data)));
    channel.stderr.on("data", (data: Buffer) => errors.push(data));
    // A command that was killed by a signal has no code: 128 as a shell would say.
    channel.on("exit", (status: number | null) => (code = status ?? 128));
    channel.on("error", () => undefined);
    channel.on("close", () => {
      options.signal.removeEventListener("abort", abort);
      done(code === undefined ? undefined : { code, began: errors.began, stdout: Buffer.concat(out).toString(), stderr: errors.text() });
    });
  });
}

function becomeRoot(channel: ClientChannel, errors: StderrReader, password: string, begin: () => void, giveUp: (said: Collected) => void): void {
  const late = setTimeout(() => {
    giveUp({ code: 1, began: false, stdout: "", stderr: errors.text() || `sudo let nobody in within ${SUDO_SECONDS} s` });
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

/** stderr. Before the command's own there are lines of sudo and the login shell, and last among them the process group. */
class StderrReader {
  onPrompt: (() => void) | undefined;
  private group: string | undefined;
  private readonly waiting: ((group: string) => void)[] = [];
  private rest = Buffer.alloc(0);
  private complaint = "";

  constructor(private readonly hear?: (data: Buffer) => void) {}

  get began(): boolean {
    return this.group !== undefined;
  }

  whenGroup(action: (group: string) => void): void {
    if (this.group === undefined) this.waiting.push(action);
    else action(this.group);
  }

  push(data: Buffer): void {
    this.rest = Buffer.concat([this.rest, data]);
    if (this.group !== undefined) return this.hear?.(data);
    for (let end = this.rest.indexOf("\n"); end >= 0 && this.group === undefined; end = this.rest.indexOf("\n")) {
      const line = this.rest.subarray(0, end + 1).toString();
      this.rest = this.rest.subarray(end + 1);
      this.before(line);
    }
    if (this.group !== undefined) this.hear?.(this.rest);
  }

  private before(line: string): void {
    const group = /^process-group (\d+)\n$/.exec(line)?.[1];
    if (group !== undefined) {
      this.group = group;
      for (const action of this.waiting) action(group);
    } else if (line.endsWith(SUDO_PROMPT)) this.onPrompt?.();
    else this.complaint += line;
  }

  text(): string {
    return this.began ? this.rest.toString() : `${this.complaint}${this.rest.toString()}`;
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
  let rest = "";
  return (data) => {
    const lines = (rest + data.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim()) onLine(line);
  };
}
