import { readFileSync, readdirSync } from "node:fs";

const INTERVAL_MS = 250;

/** Records the command lines of all processes of this computer, those in containers included. */
export class ProcessWatch {
  private readonly commandLines = new Set<string>();
  private readonly timer = setInterval(() => this.record(), INTERVAL_MS);

  constructor() {
    this.record();
  }

  private record(): void {
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        if (commandLine) this.commandLines.add(commandLine);
      } catch {
        // the process has ended
      }
    }
  }

  /** Stops recording and returns the command lines. */
  stop(): string[] {
    clearInterval(this.timer);
    return [...this.commandLines];
  }
}
