import { readFileSync, readdirSync } from "node:fs";

const EVERY_MS = 250;

/**
 * Records every command line on this computer while it watches, including those on machines in containers and in their
 * containers.
 */
export class ProcessWatch {
  private readonly seen = new Set<string>();
  private readonly timer = setInterval(() => this.look(), EVERY_MS);

  constructor() {
    this.look();
  }

  private look(): void {
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        if (words) this.seen.add(words);
      } catch {
        // it ended while we looked
      }
    }
  }

  stop(): string[] {
    clearInterval(this.timer);
    return [...this.seen];
  }
}
