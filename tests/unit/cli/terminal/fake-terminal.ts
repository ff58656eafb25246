import { PassThrough } from "node:stream";
import { Terminal } from "../../../../tools/recording/terminal";

/** A stream to a terminal, and what a person would see there. */
export class FakeTerminal {
  readonly stream: NodeJS.WriteStream;
  private readonly terminal: Terminal;

  constructor(columns: number, rows: number) {
    this.terminal = new Terminal(columns, rows);
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows });
    stream.on("data", (data: Buffer) => this.terminal.write(data.toString()));
    this.stream = stream as unknown as NodeJS.WriteStream;
  }

  resize(columns: number, rows: number): void {
    Object.assign(this.stream, { columns, rows });
    Object.assign(this.terminal, { columns, rows });
  }

  /** All lines since the beginning, also those that have left the screen. */
  get lines(): string[] {
    return this.terminal.lines;
  }
}
