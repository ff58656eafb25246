/**
 * Control sequences with a command and its numbers, marks of the terminal without an effect on its text, titles of its
 * window, and text.
 */
const KINDS = [
  /\x1b\[(?<numbers>[\d;]*)(?<command>[A-Za-z])/,
  /\x1b\[[?>=][\d;]*[a-z]|\x1b[()].|\x1b[=>78]/,
  /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/,
  /(?<text>[^])/,
];
const TOKENS = new RegExp(KINDS.map(({ source }) => source).join("|"), "g");
/** A sequence whose end is in the next write. */
const BEGINNING = /\x1b(?:\[[?>=]?[\d;]*|\][^\x07\x1b]*\x1b?|[()])?$/;

/**
 * The text on a terminal. Knows what the commands of this project and their prompts write: movements of the cursor and
 * what they erase. Colors are left out. It does not wrap lines again when its width changes.
 */
export class Terminal {
  private readonly all: string[] = [""];
  private row = 0;
  private column = 0;
  private unfinished = "";

  constructor(
    public columns: number,
    public rows: number,
  ) {}

  /** All lines since the beginning, also those that have left the screen, without empty ones at the end. */
  get lines(): string[] {
    return withoutEmptyEnd(this.all);
  }

  /** The lines on the screen, without empty ones at the end. */
  get visible(): string[] {
    return withoutEmptyEnd(this.all.slice(this.top));
  }

  write(text: string): void {
    const all = this.unfinished + text;
    const [unfinished = ""] = BEGINNING.exec(all) ?? [];
    this.unfinished = unfinished;
    for (const { groups = {} } of all.slice(0, all.length - unfinished.length).matchAll(TOKENS)) {
      if (groups.command !== undefined) this.control(groups.command, groups.numbers ?? "");
      else if (groups.text !== undefined) this.print(groups.text);
    }
  }

  private get top(): number {
    return Math.max(0, this.all.length - this.rows);
  }

  private get line(): string {
    return this.all[this.row] ?? "";
  }

  private print(character: string): void {
    if (character === "\n") return this.moveTo(this.row + 1, 0);
    if (character === "\r") return this.moveTo(this.row, 0);
    if (character === "\b") return this.moveTo(this.row, this.column - 1);
    if (character < " ") return;
    if (this.column >= this.columns) this.moveTo(this.row + 1, 0);
    this.all[this.row] =
      this.line.slice(0, this.column).padEnd(this.column) + character + this.line.slice(this.column + 1);
    this.column += 1;
  }

  private control(command: string, numbers: string): void {
    const [first = 0, second = 0] = numbers.split(";").map(Number);
    const count = first || 1;
    if (command === "A") this.moveTo(this.row - count, this.column);
    if (command === "B") this.moveTo(Math.min(this.row + count, this.all.length - 1), this.column);
    if (command === "C") this.moveTo(this.row, this.column + count);
    if (command === "D") this.moveTo(this.row, this.column - count);
    if (command === "G") this.moveTo(this.row, count - 1);
    if (command === "H") this.moveTo(this.top + count - 1, (second || 1) - 1);
    if (command === "K") this.eraseLine(first);
    if (command === "J") this.eraseScreen(first);
  }

  /** The cursor cannot leave the screen at its top and its left. */
  private moveTo(row: number, column: number): void {
    this.row = Math.max(row, this.top);
    this.column = Math.max(column, 0);
    while (this.all.length <= this.row) this.all.push("");
  }

  private eraseLine(part: number): void {
    const before = part === 0 ? this.line.slice(0, this.column) : "";
    const after = part === 1 ? this.line.slice(this.column).padStart(this.line.length) : "";
    this.all[this.row] = before + after;
  }

  private eraseScreen(part: number): void {
    this.eraseLine(part);
    const [from, to] = [part === 0 ? this.row + 1 : this.top, part === 1 ? this.row : this.all.length];
    for (let row = from; row < to; row += 1) if (row !== this.row) this.all[row] = "";
  }
}

function withoutEmptyEnd(lines: readonly string[]): string[] {
  const trimmed = lines.map((line) => line.trimEnd());
  return trimmed.slice(0, trimmed.findLastIndex((line) => line !== "") + 1);
}
