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
}

/**
 * Sends requests at a steady rate from a machine of the test network. Each request opens a connection, so that the
 * Service
 * chooses a pod for each.
 */
export class LoadClient {
  readonly load: Load = { total: 0, failed: 0, failures: [] };
  private readonly process: Promise<{ child: ResultPromise }>;

  constructor(private readonly spec: LoadSpec) {
    this.process = start("docker", ["exec", spec.container, ...curl(spec)], {
      reject: false,
      buffer: false,
      stdin: "ignore",
    });
    // A rejection is reported by finished(), which may be called later.
    this.process.then(({ child }) => this.listen(child)).catch(() => undefined);
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
    if (line.startsWith("200 0 ")) return;
    this.load.failed++;
    if (this.load.failures.length < 20)
      this.load.failures.push(`${new Date().toISOString()} HTTP code, exit code and message of curl: ${line}`);
  }
}

/** Returns a curl command that prints a line for each request. The range in brackets repeats the URL. */
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

/** Waits until all requests of a short load succeed: then kube-proxy has written the rules of the Service. */
export async function waitForAnswers(spec: LoadSpec): Promise<void> {
  const sendRequests = async () => {
    const { total, failed } = await new LoadClient(spec).finished();
    return total === spec.most && failed === 0 ? true : undefined;
  };
  await until(sendRequests, {
    signal: AbortSignal.timeout(60_000),
    timeout: 60,
    onTimeout: () => new Error(`${spec.url} does not answer`),
  });
}
