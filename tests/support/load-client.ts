import { createInterface } from "node:readline";
import type { ResultPromise } from "execa" with { "resolution-mode": "import" };
import { run, start } from "../../common/process";
import { until } from "../../common/wait";

export interface Load {
  total: number;
  failed: number;
  /** The first failures. */
  failures: string[];
}

export interface LoadSpec {
  /** Container of the machine that sends the requests. */
  container: string;
  url: string;
  perSecond: number;
  /** The client ends after this number of requests, */
  most: number;
  /** or after this number of seconds. */
  seconds: number;
  /** Further arguments of curl: headers, a body. */
  more?: readonly string[];
}

/**
 * Sends requests at a steady rate from a machine of the test network. Each request opens a connection, so that the
 * Service chooses a pod for each.
 */
export class LoadClient {
  readonly load: Load = { total: 0, failed: 0, failures: [] };
  /** Milliseconds: the longest time without a successful request since the last `mark`. */
  longestGap = 0;
  private lastSuccess: number | undefined;
  private readonly process: Promise<{ child: ResultPromise }>;

  /** @param command prints a line for each request, as curl does */
  constructor(
    private readonly spec: LoadSpec,
    command: readonly string[] = curl(spec),
  ) {
    this.process = start("docker", ["exec", spec.container, ...command], {
      reject: false,
      buffer: false,
      stdin: "ignore",
    });
    // A rejection is reported by finished(), which may be called later.
    this.process.then(({ child }) => this.listen(child)).catch(() => undefined);
  }

  /** Begins to measure the longest gap again, and returns a copy of the numbers so far. */
  mark(): Load {
    const numbers = { ...this.load };
    this.longestGap = 0;
    this.lastSuccess = Date.now();
    return numbers;
  }

  /** Milliseconds since the last success, where that is longer than the longest gap so far. */
  gapUntil(now: number): number {
    return Math.max(this.longestGap, now - (this.lastSuccess ?? now));
  }

  private recordSuccess(now: number): void {
    this.longestGap = Math.max(this.longestGap, now - (this.lastSuccess ?? now));
    this.lastSuccess = now;
  }

  async stop(): Promise<Load> {
    await run("docker", ["exec", this.spec.container, "pkill", "-x", "curl"], { reject: false });
    return await this.finished();
  }

  async finished(): Promise<Load> {
    const { child } = await this.process;
    await child;
    return this.load;
  }

  private listen({ stdout }: ResultPromise): void {
    if (stdout) createInterface({ input: stdout }).on("line", (line) => this.count(line));
  }

  private count(line: string): void {
    this.load.total++;
    if (/^2\d\d 0 /.test(line)) return this.recordSuccess(Date.now());
    this.load.failed++;
    if (this.load.failures.length < 20)
      this.load.failures.push(`${new Date().toISOString()} HTTP code, exit code and message of curl: ${line}`);
  }
}

/** Returns what a load did since an earlier moment. */
export function loadSince({ total, failed }: Load, { load }: { load: Load }): Pick<Load, "total" | "failed"> {
  return { total: load.total - total, failed: load.failed - failed };
}

/** Returns a curl command that prints a line for each request. The range in brackets repeats the URL. */
function curl({ url, perSecond, most, seconds, more = [] }: LoadSpec): string[] {
  const each = [
    "--header",
    "Connection: close",
    "--max-time",
    "5",
    "--output",
    "/dev/null",
    "--write-out",
    "%{http_code} %{exitcode} %{errormsg}\\n",
    ...more,
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

/** Below the ports that Linux gives to clients, and below the ports of nodes. */
const FIRST_WAITING_PORT = 20_000;
const LAST_WAITING_PORT = 29_999;

/**
 * Waits until all requests of a short load succeed: then kube-proxy has written the rules of the Service.
 *
 * A request before that is rejected, and its untranslated connection stays in the kernel's table for two minutes. A
 * request from the same port in that time is refused, too, whatever the rules are now. So each attempt sends its
 * requests from ports of its own, which neither the next attempt nor a later load uses.
 */
export async function waitForAnswers(spec: LoadSpec): Promise<void> {
  let first = FIRST_WAITING_PORT;
  const sendRequests = async () => {
    const ports = ["--local-port", `${first}-${first + spec.most - 1}`];
    first += spec.most;
    if (first + spec.most > LAST_WAITING_PORT) first = FIRST_WAITING_PORT;
    const { total, failed } = await new LoadClient({ ...spec, more: [...(spec.more ?? []), ...ports] }).finished();
    return total === spec.most && failed === 0 ? true : undefined;
  };
  await until(sendRequests, {
    signal: AbortSignal.timeout(60_000),
    timeout: 60,
    onTimeout: () => new Error(`${spec.url} does not answer`),
  });
}
