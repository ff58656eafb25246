import { PassThrough } from "node:stream";

/** What log-update writes: the movements of the cursor, what it erases, and marks without an effect on the picture. */
const TOKENS = /\x1b\[(?<count>\d*)(?<command>[A-Z])|\x1b\[\?\d+[hl]|(?<text>[^\x1b])/g;

/** A terminal that keeps what a person would see. It does not wrap its lines again when its width changes. */
export class FakeTerminal {
  readonly stream: NodeJS.WriteStream;
  private readonly picture: string[] = [""];
  private row = 0;
  private column = 0;

  constructor(columns: number, rows: number) {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows });
    stream.on("data", (data: Buffer) => this.write(data.toString()));
    this.stream = stream as unknown as NodeJS.WriteStream;
  }

  resize(columns: number, rows: number): void {
    Object.assign(this.stream, { columns, rows });
  }

  /** All lines since the beginning, also those that have left the screen. */
  get lines(): string[] {
    const lines = this.picture.map((line) => line.trimEnd());
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  private write(text: string): void {
    for (const { groups = {} } of text.matchAll(TOKENS)) {
      if (groups.text !== undefined) this.print(groups.text);
      else if (groups.command !== undefined) this.control(groups.command, Number(groups.count || "1"));
    }
  }

  private print(character: string): void {
    if (character === "\n" || this.column >= this.stream.columns) this.moveTo(this.row + 1, 0);
    if (character === "\n") return;
    const line = this.picture[this.row] ?? "";
    this.picture[this.row] = line.slice(0, this.column).padEnd(this.column) + character + line.slice(this.column + 1);
    this.column += 1;
  }

  /** The cursor cannot leave the screen at its top. */
  private control(command: string, count: number): void {
    const line = this.picture[this.row] ?? "";
    const top = Math.max(0, this.picture.length - this.stream.rows);
    if (command === "A") this.moveTo(Math.max(this.row - count, top), this.column);
    if (command === "B") this.moveTo(Math.min(this.row + count, this.picture.length - 1), this.column);
    if (command === "G") this.column = count - 1;
    if (command === "K") this.picture[this.row] = count === 2 ? "" : line.slice(0, this.column);
  }

  private moveTo(row: number, column: number): void {
    while (this.picture.length <= row) this.picture.push("");
    [this.row, this.column] = [row, column];
  }
}
