import type { Readable } from "node:stream";
import type { ClientChannel } from "ssh2";

export interface CollectOptions {
  /** A stream is made anew for each attempt. */
  stdin?: string | Buffer | (() => Readable);
  signal: AbortSignal;
  /** Called for each line of output as it comes. */
  onLine?: (line: string) => void;
}

export interface Collected {
  code: number;
  stdout: string;
  stderr: string;
}

/** Undefined where the channel closed without an exit status: the connection broke, or the command was killed. */
export function collect(channel: ClientChannel, options: CollectOptions, kill: (group: string) => void): Promise<Collected | undefined> {
  return new Promise((done, fail) => {
    const out: Buffer[] = [];
    const lines = options.onLine;
    const errors = new StderrReader(lines && lineSplitter(lines));
    const hear = lines && lineSplitter(lines);
    let code: number | undefined;
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
      done(code === undefined ? undefined : { code, stdout: Buffer.concat(out).toString(), stderr: errors.text() });
    });
    feed(channel, options.stdin, fail);
  });
}

/** stderr, of which the first line is the process group. */
class StderrReader {
  private group: string | undefined;
  private waiting: ((group: string) => void) | undefined;
  private rest = Buffer.alloc(0);

  constructor(private readonly hear?: (data: Buffer) => void) {}

  whenGroup(action: (group: string) => void): void {
    if (this.group === undefined) this.waiting = action;
    else action(this.group);
  }

  push(data: Buffer): void {
    this.rest = Buffer.concat([this.rest, data]);
    const end = this.rest.indexOf("\n");
    if (this.group !== undefined) return this.hear?.(data);
    if (end < 0) return;
    this.group = this.rest.subarray(0, end).toString();
    this.rest = this.rest.subarray(end + 1);
    this.waiting?.(this.group);
    this.hear?.(this.rest);
  }

  /** Without a first line nothing of ours has run: sudo's or the shell's own complaint. */
  text(): string {
    return this.rest.toString();
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
