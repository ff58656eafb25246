import { createInterface } from "node:readline";
import type { ResultPromise } from "execa" with { "resolution-mode": "import" };
import { run, start } from "../../common/process";

export interface Load {
  total: number;
  failed: number;
  /** The first failures. */
  failures: string[];
}

export interface LoadSpec {
  /** The container of a machine on the test network, which sends the requests. */
  container: string;
  url: string;
  perSecond: number;
  /** Ends after so many requests, */
  most: number;
  /** or after so many seconds. */
  seconds: number;
}

/**
 * Sends requests from a machine of the test network at a steady rate, each on a connection of its own, so that the
 * Service chooses a pod for every request.
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
    // A rejection must not end the process before the test reads the load.
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
      this.load.failures.push(`${new Date().toISOString()} HTTP status, curl's exit code and message: ${line}`);
  }
}

/** Prints one line per request. The bracketed range makes curl repeat the one address. */
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
