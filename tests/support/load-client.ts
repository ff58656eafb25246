import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Load {
  total: number;
  failed: number;
  /** What went wrong, the first few times. */
  failures: string[];
}

/** Asks at a steady rate, each time on a connection of its own: so every request meets the Service's choice of a pod anew. */
export class LoadClient {
  readonly load: Load = { total: 0, failed: 0, failures: [] };
  private readonly stopped = new AbortController();
  private readonly running: Promise<void>;

  /** @param most after so many requests it ends by itself */
  constructor(private readonly url: string, private readonly perSecond: number, private readonly most: number) {
    this.running = this.run();
  }

  async stop(): Promise<Load> {
    this.stopped.abort();
    return await this.finished();
  }

  async finished(): Promise<Load> {
    await this.running;
    return this.load;
  }

  private async run(): Promise<void> {
    const start = Date.now();
    const open: Promise<void>[] = [];
    while (!this.stopped.signal.aborted && open.length < this.most) {
      open.push(this.ask());
      const due = start + (open.length * 1000) / this.perSecond;
      await sleep(Math.max(due - Date.now(), 0), undefined, { signal: this.stopped.signal }).catch(() => undefined);
    }
    await Promise.all(open);
  }

  private async ask(): Promise<void> {
    const failure = await request(this.url);
    this.load.total++;
    if (failure === undefined) return;
    this.load.failed++;
    if (this.load.failures.length < 20) this.load.failures.push(`${new Date().toISOString()} ${failure}`);
  }
}

/** Undefined when it was answered well. */
function request(url: string): Promise<string | undefined> {
  return new Promise((done) => {
    const asked = get(url, { agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      response.on("end", () => done(response.statusCode === 200 ? undefined : `HTTP ${response.statusCode}`));
      response.on("error", (error) => done(error.message));
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer within 5 s")));
    asked.on("error", (error) => done(error.message));
  });
}
