import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { TestStack } from "../support/test-stack";
import { isWorker, keyPath, type BenchMachine } from "./machines";
import { covered, criticalPath, type Measured, type StepTime } from "./measure";

export interface NoOp {
  seconds: number;
  connections: number;
  /** Share of the time that no operation of the provider accounts for. */
  engineShare: number;
}

interface TraceEvent {
  urn?: string;
  name?: string;
  op?: string;
  ssh?: string;
  start: number;
  end: number;
}

/**
 * Runs `pulumi up` on existing machines, from their first SSH answer until all nodes are Ready and CoreDNS is
 * Available.
 */
export class PulumiRun {
  private readonly trace: string;
  private readonly stack: TestStack;

  constructor(
    folder: string,
    private readonly machines: readonly BenchMachine[],
    private readonly keyFolder: string,
  ) {
    this.trace = join(folder, "trace.jsonl");
    this.stack = new TestStack("bench", { KUBEWRIGHT_TRACE: this.trace });
  }

  async bringUp(): Promise<Measured> {
    await this.must("stack", "init");
    this.configure();
    const { seconds, begin, events } = await this.timedUp();
    const dependencies = await this.dependencies();
    const nodes = this.machines.map((machine) => machine.name);
    const steps = events
      .filter((event) => event.op === "create" && event.urn)
      .map((event) => ({ ...stepOf(event, begin, nodes), urn: event.urn ?? "" }));
    const waitedFor = (step: StepTime) => {
      const names = dependencies.get((step as (typeof steps)[number]).urn) ?? [];
      return steps.filter((other) => names.includes(other.urn));
    };
    return { seconds, steps, critical: criticalPath(steps, waitedFor) };
  }

  async again(): Promise<NoOp> {
    const { seconds, events } = await this.timedUp("--expect-no-changes");
    const ours = covered(events.filter((event) => event.urn)) / 1000;
    return {
      seconds,
      connections: events.filter((event) => event.ssh === "connect").length,
      engineShare: (seconds - ours) / seconds,
    };
  }

  /** The machines belong to the benchmark, so nothing on them needs to be cleaned. */
  removeFiles(): void {
    this.stack.removeFiles();
    rmSync(this.stack.stackFolder, { recursive: true, force: true });
  }

  private configure(): void {
    const hosts = this.machines.map(({ name, address, hostKey }) => ({
      name,
      host: address,
      privateAddress: address,
      hostKey,
      privateKeyPath: keyPath(this.keyFolder),
      role: isWorker(name) ? "worker" : "control-plane",
    }));
    const settings = existsSync(this.stack.configFile)
      ? (parse(readFileSync(this.stack.configFile, "utf8")) as object)
      : {};
    writeFileSync(
      this.stack.configFile,
      stringify({ ...settings, config: { "kubewright:machines": { kind: "ssh", ssh: { hosts } } } }),
    );
  }

  private async timedUp(...args: string[]): Promise<{ seconds: number; begin: number; events: TraceEvent[] }> {
    rmSync(this.trace, { force: true });
    const begin = Date.now();
    await this.must("up", "--yes", "--skip-preview", "--suppress-outputs", ...args);
    const seconds = (Date.now() - begin) / 1000;
    const lines = existsSync(this.trace) ? readFileSync(this.trace, "utf8").trim().split("\n") : [];
    return { seconds, begin, events: lines.map((line) => JSON.parse(line) as TraceEvent) };
  }

  private async dependencies(): Promise<Map<string, string[]>> {
    const text = await this.must("stack", "export");
    const { deployment } = JSON.parse(text) as {
      deployment: {
        resources: { urn: string; dependencies?: string[]; propertyDependencies?: Record<string, string[] | null> }[];
      };
    };
    return new Map(
      deployment.resources.map(({ urn, dependencies = [], propertyDependencies = {} }) => [
        urn,
        [...dependencies, ...Object.values(propertyDependencies).flatMap((names) => names ?? [])],
      ]),
    );
  }

  private async must(...args: string[]): Promise<string> {
    const { code, text } = await this.stack.pulumiQuietly(...args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${text}`);
    return text;
  }
}

/** `worker-1-images` is step `images` on node `worker-1`; what has no node's name is done from the controller. */
function stepOf(event: TraceEvent, begin: number, nodes: readonly string[]): StepTime {
  const name = event.name ?? "";
  const node = nodes.find((one) => name.startsWith(one)) ?? "(controller)";
  const step = node === "(controller)" ? name : name.slice(node.length + 1) || "machine";
  return { node, step, start: (event.start - begin) / 1000, end: (event.end - begin) / 1000 };
}
