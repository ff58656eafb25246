import { StringDecoder } from "node:string_decoder";

/** Called for each line of output as it arrives. A line of more than 64 KiB arrives in pieces. */
export type OnLine = (line: string) => void;

/** The password prompt of sudo. It is a separate line, so that no other output is mistaken for it. */
export const SUDO_PROMPT = "kubewright: sudo wants the password\n";

const LONGEST_LINE = 64 << 10;
/** The line that the wrapper script prints. Process group 1 is rejected: killing it would kill every process. */
const PROCESS_GROUP = /^process-group ((?!1\n)[1-9]\d{0,9})\n$/;

/** Collects the output of a command, and passes it on line by line. */
export class OutputCollector {
  private readonly chunks: Buffer[] = [];
  private readonly splitLines: ((data: Buffer) => void) | undefined;

  constructor(onLine: OnLine | undefined) {
    this.splitLines = onLine && lineSplitter(onLine);
  }

  push(data: Buffer): void {
    this.chunks.push(data);
    this.splitLines?.(data);
  }

  text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

/**
 * Reads stderr. Lines of sudo and of the login shell come before the command's own output; the last of them names the
 * command's process group.
 */
export class StderrReader {
  onPrompt: (() => void) | undefined;
  private group: string | undefined;
  private readonly onGroup: ((group: string) => void)[] = [];
  private rest = Buffer.alloc(0);
  private preamble = "";
  private isDropping = false;
  private readonly output: OutputCollector;

  constructor(onLine: OnLine | undefined) {
    this.output = new OutputCollector(onLine);
  }

  /** Whether the command has started. */
  get began(): boolean {
    return this.group !== undefined;
  }

  whenGroup(action: (group: string) => void): void {
    if (this.group === undefined) this.onGroup.push(action);
    else action(this.group);
  }

  /** Drops all further output except for the process group. */
  dropOutput(): void {
    this.isDropping = true;
  }

  push(data: Buffer): void {
    if (this.group !== undefined) return this.keep(data);
    this.rest = Buffer.concat([this.rest, data]);
    for (let end = this.rest.indexOf("\n"); end >= 0 && this.group === undefined; end = this.rest.indexOf("\n"))
      this.readPreamble(this.take(end + 1));
    if (this.group !== undefined) this.keep(this.take(this.rest.length));
    else if (this.rest.length > LONGEST_LINE) this.readPreamble(this.take(this.rest.length));
  }

  private take(length: number): Buffer {
    const taken = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    return taken;
  }

  private readPreamble(data: Buffer): void {
    const line = data.toString();
    const group = PROCESS_GROUP.exec(line)?.[1];
    if (group !== undefined) {
      this.group = group;
      for (const action of this.onGroup) action(group);
    } else if (line.endsWith(SUDO_PROMPT)) this.onPrompt?.();
    else if (!this.isDropping) this.preamble += line;
  }

  private keep(data: Buffer): void {
    if (!this.isDropping && data.length > 0) this.output.push(data);
  }

  text(): string {
    return this.began ? this.output.text() : `${this.preamble}${this.rest.toString()}`;
  }
}

function lineSplitter(onLine: OnLine): (data: Buffer) => void {
  const decoder = new StringDecoder(); // a character may arrive in two pieces
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
