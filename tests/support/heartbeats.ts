import type { ResultPromise } from "execa" with { "resolution-mode": "import" };
import { output, start } from "../../common/process";

const FILE = "/var/lib/heartbeat/beats";
const EVERY_MS = 500;
/** The clock of /proc/uptime has a resolution of 10 ms. */
const CLOCK_SECONDS = 0.01;

/** The time in which one pod wrote heartbeats. */
export interface Life {
  node: string;
  pod: string;
  /** Seconds of the kernel's uptime. */
  first: number;
  last: number;
  beats: number;
}

/**
 * Reads the heartbeats of manifests/heartbeat.yaml from the disks of all machines of a stack. It reads through Docker,
 * so a machine without a network is read as well, and what was read stays known after the machine is deleted.
 */
export class Heartbeats {
  private readonly seen = new Map<string, Life & { counts: Set<string> }>();
  private readonly readers = new Map<string, ResultPromise>();
  private readonly timer: NodeJS.Timeout;
  private work = Promise.resolve();

  /** @param label the label that the stack's containers have */
  constructor(private readonly label: string) {
    this.timer = setInterval(() => {
      this.work = this.work.then(() => this.attach()).catch(() => undefined);
    }, EVERY_MS);
  }

  /** Returns the lives of all pods, the oldest first. */
  lives(): Life[] {
    return [...this.seen.values()]
      .map(({ counts, ...life }) => ({ ...life, beats: counts.size }))
      .sort((one, other) => one.first - other.first);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.work;
    for (const reader of this.readers.values()) reader.kill();
  }

  /** Starts a reader on every running machine that has none. */
  private async attach(): Promise<void> {
    const listing = await output("docker", ["ps", "-q", "--filter", `label=${this.label}`]);
    for (const container of listing.split("\n").filter(Boolean)) {
      if (this.readers.has(container)) continue;
      const args = ["exec", container, "tail", "-n", "+1", "-F", "--sleep-interval=0.2", FILE];
      const { child } = await start("docker", args, { reject: false, buffer: false });
      this.readers.set(container, child);
      const ended = () => this.readers.delete(container);
      child.then(ended, ended);
      this.readLines(child);
    }
  }

  private readLines(child: ResultPromise): void {
    let rest = "";
    child.stdout?.on("data", (data: Buffer) => {
      const lines = (rest + data.toString()).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach((line) => this.record(line));
    });
  }

  /** A reader that is attached again reads the lines from the beginning. */
  private record(line: string): void {
    const [node = "", pod = "", count = "", time] = line.split(" ");
    const at = Number(time);
    if (!Number.isFinite(at)) return;
    const life = this.seen.get(pod) ?? { node, pod, first: at, last: at, beats: 0, counts: new Set<string>() };
    life.first = Math.min(life.first, at);
    life.last = Math.max(life.last, at);
    life.counts.add(count);
    this.seen.set(pod, life);
  }
}

/** Returns a line for each pod that began before the one before it had ended. */
export function findOverlaps(lives: readonly Life[]): string[] {
  const describe = (life: Life, next: Life) =>
    `${next.node} wrote from ${next.first} s on, and ${life.node} until ${life.last} s`;
  return lives.flatMap((life, index) =>
    lives
      .slice(index + 1)
      .filter(({ first }) => first < life.last - CLOCK_SECONDS)
      .map((next) => describe(life, next)),
  );
}

/** Returns the seconds between the end of each pod and the beginning of the next one. */
export function findGaps(lives: readonly Life[]): number[] {
  return lives.slice(1).map(({ first }, index) => Math.round((first - (lives[index]?.last ?? first)) * 10) / 10);
}
