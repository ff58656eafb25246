import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { ResultPromise } from "execa" with { "resolution-mode": "import" };
import { obtainEngine } from "../../artifacts/engine";
import { silent } from "../../common/progress";
import { projectRoot } from "../../common/project-root";
import { output, run, start } from "../../common/process";

export interface Finished {
  code: number | undefined;
  /** stdout and stderr in the order in which they came. */
  text: string;
}

/** What becomes of a stack's output. */
export type Show = (name: string, text: string) => void;

/**
 * A stack of a test's own, in a state folder of its own: a person's `dev` is never touched. Commands are those that a
 * person types.
 */
export class TestStack {
  private readonly folder: string;
  readonly env: NodeJS.ProcessEnv;

  constructor(
    readonly name: string,
    env: NodeJS.ProcessEnv = {},
    private readonly show: Show = echo,
  ) {
    this.folder = mkdtempSync(join(tmpdir(), `kubewright-${name}-`));
    rmSync(this.configFile, { force: true }); // of a test run that was killed: its salt belongs to another state
    this.env = { PULUMI_BACKEND_URL: `file://${this.folder}`, PULUMI_CONFIG_PASSPHRASE: `test ${name}`, ...env };
  }

  get stateFolder(): string {
    return this.folder;
  }

  get configFile(): string {
    return join(projectRoot(), `Pulumi.${this.name}.yaml`);
  }

  get stackFolder(): string {
    return join(projectRoot(), ".kubewright", this.name);
  }

  /** `npm start`. */
  async up(...args: string[]): Promise<Finished> {
    return await this.command("start", args);
  }

  /** `npm run down`. */
  async down(...args: string[]): Promise<Finished> {
    return await this.command("down", ["--yes", ...args]);
  }

  /** `npm run node:drain` and the like. */
  async script(name: string, ...args: string[]): Promise<Finished> {
    return await this.command(name, args);
  }

  /** The same, with nothing on the screen. */
  async quietScript(name: string, ...args: string[]): Promise<Finished> {
    return await this.command(name, args, () => undefined);
  }

  async kubeconfig(): Promise<string> {
    return await output("npm", ["run", "-s", "kubeconfig", "--", "--stack", this.name], this.options());
  }

  /**
   * What `npm start` runs, as a process of its own group, to be interrupted or killed; its lines go to `onText` as they
   * come. Without npm between, which keeps a signal to itself that no terminal sent.
   */
  async running(onText: (text: string) => void, ...args: string[]): Promise<{ child: ResultPromise }> {
    return await this.begin("up", onText, ...args);
  }

  /** The same for any command. Without npm between: that keeps an interrupt to itself. */
  async begin(script: string, onText: (text: string) => void, ...args: string[]): Promise<{ child: ResultPromise }> {
    const begun = await start(process.execPath, ["cli/bootstrap.cjs", script, "--stack", this.name, ...args], {
      ...this.options(),
      detached: true,
      all: true,
      reject: false,
    });
    begun.child.all?.on("data", (data: Buffer) => {
      onText(data.toString());
      this.show(this.name, data.toString());
    });
    return begun;
  }

  /** Pulumi itself, as somebody uses it who knows it. */
  async pulumi(...args: string[]): Promise<Finished> {
    return await this.runPulumi(args, args.includes("--json") ? () => undefined : this.show);
  }

  /** The same, with nothing on the screen. */
  async quietly(...args: string[]): Promise<Finished> {
    return await this.runPulumi(args, () => undefined);
  }

  private async runPulumi(args: readonly string[], show: Show): Promise<Finished> {
    const engine = await obtainEngine(silent, new AbortController().signal);
    const env = { ...this.env, ...engine.environment, PATH: `${engine.binDir}:${process.env.PATH}` };
    const all = [...args, "--stack", this.name, "--non-interactive", "--color", "never"];
    return await this.finish("pulumi", all, env, show);
  }

  /** Outputs of the stack; secrets are hidden. */
  async outputs(): Promise<Record<string, unknown>> {
    const { text } = await this.pulumi("stack", "output", "--json");
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** `docker ps` filters for what is this stack's. */
  async containers(machine?: string): Promise<string[]> {
    const { stackId } = await this.outputs();
    const labels = [`io.kubewright.stack=${String(stackId)}`, ...(machine ? [`io.kubewright.machine=${machine}`] : [])];
    const found = await output("docker", [
      "ps",
      "-a",
      "-q",
      ...labels.flatMap((label) => ["--filter", `label=${label}`]),
    ]);
    return found.split("\n").filter(Boolean);
  }

  /** A shell command on a machine, past everything that is ours. */
  async on(machine: string, script: string): Promise<string> {
    const [container = ""] = await this.containers(machine);
    return await output("docker", ["exec", container, "sh", "-c", script]);
  }

  /** Changes the stack's configuration as a person does with an editor. */
  configure(change: (config: Record<string, unknown>) => unknown): void {
    const settings = parse(readFileSync(this.configFile, "utf8")) as { config: Record<string, unknown> };
    change(settings.config);
    writeFileSync(this.configFile, stringify(settings));
  }

  /**
   * Removes what only tests leave: the folder of the state, and the configuration, which `down` keeps for its person.
   */
  removeFiles(): void {
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.configFile, { force: true });
  }

  private async command(script: string, args: readonly string[], show = this.show): Promise<Finished> {
    return await this.finish("npm", ["run", script, "--", "--stack", this.name, ...args], this.env, show);
  }

  private options() {
    return { cwd: projectRoot(), env: this.env };
  }

  private async finish(file: string, args: readonly string[], env = this.env, show = this.show): Promise<Finished> {
    const { child } = await start(file, args, { cwd: projectRoot(), env, all: true, reject: false, stdin: "ignore" });
    child.all?.on("data", (data: Buffer) => show(this.name, data.toString()));
    const { exitCode, all } = await child;
    return { code: exitCode, text: typeof all === "string" ? all : "" };
  }
}

/** What goes on is shown while it goes on: these tests take minutes. */
function echo(name: string, text: string): void {
  process.stdout.write(text.replaceAll(/^(?=.)/gm, `    ${name} │ `));
}

/** kubectl of the artifacts, with this cluster's kubeconfig. */
export async function kubectlOf(stack: TestStack): Promise<(...args: string[]) => Promise<string>> {
  const { kubectlPath } = await stack.outputs();
  const kubeconfig = await stack.kubeconfig();
  return async (...args) => {
    const { stdout } = await run(String(kubectlPath), ["--kubeconfig", kubeconfig, ...args]);
    return typeof stdout === "string" ? stdout : "";
  };
}
