const REDRAW_MS = 100;

/** Where a command's progress goes: lines that stay, and on a terminal a few lines below them that are drawn again and again. */
export interface Screen {
  readonly live: boolean;
  line(text: string): void;
  /** Gives the lines that show what is going on now; asked whenever the screen is drawn. */
  show(current: () => string[]): void;
  close(): void;
}

/** Progress is stderr's; stdout is for what the command answers. */
export function openScreen(stream: NodeJS.WriteStream = process.stderr): Screen {
  const dumb = process.env.TERM === "dumb" || process.env.CI === "true";
  return stream.isTTY && !dumb ? new LiveScreen(stream) : plainScreen(stream);
}

export function plainScreen(stream: Pick<NodeJS.WritableStream, "write">): Screen {
  return { live: false, line: (text) => void stream.write(`${text}\n`), show: () => undefined, close: () => undefined };
}

class LiveScreen implements Screen {
  readonly live = true;
  private drawn = 0;
  private current: () => string[] = () => [];
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly stream: NodeJS.WriteStream) {
    this.timer = setInterval(() => this.draw([]), REDRAW_MS);
    this.timer.unref();
  }

  line(text: string): void {
    this.draw([text]);
  }

  show(current: () => string[]): void {
    this.current = current;
    this.draw([]);
  }

  close(): void {
    clearInterval(this.timer);
    this.current = () => [];
    this.draw([]);
  }

  private draw(above: string[]): void {
    const below = this.current().map((line) => cut(line, this.stream.columns || 80));
    if (above.length === 0 && below.length === 0 && this.drawn === 0) return;
    const up = this.drawn > 0 ? `\x1b[${this.drawn}A` : "";
    const text = [...above, ...below].map((line) => `\x1b[2K${line}\n`).join("");
    this.stream.write(`${up}\r${text}\x1b[J`);
    this.drawn = below.length;
  }
}

/** A line that wraps would be two, and the next drawing would start too low. */
function cut(line: string, columns: number): string {
  return line.length < columns ? line : `${line.slice(0, Math.max(columns - 2, 0))}…`;
}
