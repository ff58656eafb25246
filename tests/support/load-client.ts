import { createInterface } from "node:readline";
import type { ResultPromise } from "execa" with { "resolution-mode": "import" };
import { run, start } from "../../common/process";

export interface Load {
  total: number;
  failed: number;
  /** What went wrong, the first few times. */
  failures: string[];
}

export interface LoadSpec {
  /** The container of a machine on the test network: who asks there. */
  container: string;
  url: string;
  perSecond: number;
  /** After so many requests it ends by itself, */
  most: number;
  /** and after so many seconds. */
  seconds: number;
}

/**
 * Asks from a machine of the test network at a steady rate, each time on a connection of its own: so every request
 * meets the Service's choice of a pod anew.
 */
export class LoadClient {
  readonly load: Load = { total: 0, failed: 0, failures: [] };
  private readonly asking: Promise<{ child: ResultPromise }>;

  constructor(private readonly spec: LoadSpec) {
    this.asking = start("docker", ["exec", spec.container, ...curl(spec)], {
      reject: false,
      buffer: false,
      stdin: "ignore",
    });
    // Who only looks at the load later must not end by a rejection that nobody waits for yet.
    this.asking.then(({ child }) => this.listen(child)).catch(() => undefined);
  }

  async stop(): Promise<Load> {
    await run("docker", ["exec", this.spec.container, "pkill", "-x", "curl"], { reject: false });
    return await this.finished();
  }

  async finished(): Promise<Load> {
    const { child } = await this.asking;
    await child;
    return this.load;
  }

  private listen({ stdout }: ResultPromise): void {
    if (stdout) createInterface({ input: stdout }).on("line", (line) => this.count(line));
  }

  private count(line: string): void {
    this.load.total++;
    if (line.startsWith("200 0 ")) return;
    this.load.failed++;
    if (this.load.failures.length < 20)
      this.load.failures.push(`${new Date().toISOString()} HTTP code, curl's code and words: ${line}`);
  }
}

/** One line for each request; curl's numbers in brackets make the one address as many. */
function curl({ url, perSecond, most, seconds }: LoadSpec): string[] {
  const each = [
    "--header",
    "Connection: close",
    "--max-time",
    "5",
    "--output",
    "/dev/null",
    "--write-out",
    "%{http_code} %{exitcode} %{errormsg}\\n",
  ];
  return [
    "timeout",
    String(seconds),
    "stdbuf",
    "-oL",
    "curl",
    "--silent",
    "--rate",
    `${perSecond}/s`,
    ...each,
    `${url}?[1-${most}]`,
  ];
}
