import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { ResultPromise } from "execa" with { "resolution-mode": "import" };
import { obtainEngine } from "../../artifacts/engine";
import { silent } from "../../common/progress";
import { projectRoot } from "../../common/project-root";
import { output, start } from "../../common/process";

export interface Finished {
  code: number | undefined;
  /** stdout and stderr in the order in which they came. */
  text: string;
}

/** Receives the output of a stack's commands. */
export type Show = (name: string, text: string) => void;

/** A stack with its own state folder, so that a test never changes a user's stack. Runs the commands that users run. */
export class TestStack {
  private readonly folder: string;
  private readonly running = new Set<Promise<unknown>>();
  readonly env: NodeJS.ProcessEnv;

  constructor(
    readonly name: string,
    env: NodeJS.ProcessEnv = {},
    private readonly show: Show = echo,
    /** Folder of the program, which may be that of an earlier version. */
    private readonly root = projectRoot(),
  ) {
    this.folder = mkdtempSync(join(tmpdir(), `kubewright-${name}-`));
    rmSync(this.configFile, { force: true }); // left by a killed test run, with the salt of another state
    this.env = { PULUMI_BACKEND_URL: `file://${this.folder}`, PULUMI_CONFIG_PASSPHRASE: `test ${name}`, ...env };
  }

  get stateFolder(): string {
    return this.folder;
  }

  get configFile(): string {
    return join(this.root, `Pulumi.${this.name}.yaml`);
  }

  get stackFolder(): string {
    return join(this.root, ".kubewright", this.name);
  }

  /** `npm start`. */
  async up(...args: string[]): Promise<Finished> {
    return await this.command("start", args);
  }

  /** `npm run down`, after commands that are still ending because the suite was interrupted. */
  async down(...args: string[]): Promise<Finished> {
    await Promise.allSettled(this.running);
    return await this.command("down", ["--yes", ...args]);
  }

  /** Runs an npm script such as `node:drain`. */
  async npmRun(name: string, ...args: string[]): Promise<Finished> {
    return await this.command(name, args);
  }

  /** Runs an npm script without showing its output. */
  async npmRunQuietly(name: string, ...args: string[]): Promise<Finished> {
    return await this.command(name, args, () => undefined);
  }

  /** Checks the cluster with `npm run check`. @throws with its output where the cluster does not pass */
  async check(): Promise<void> {
    const { code, text } = await this.npmRun("check");
    if (code !== 0) throw new Error(`npm run check ended with ${code}:\n${text}`);
  }

  async kubeconfig(): Promise<string> {
    return await output("npm", ["run", "-s", "kubeconfig", "--", "--stack", this.name], this.options());
  }

  /** Starts `npm start` as `startCommand` does. */
  async startUp(onText: (text: string) => void, ...args: string[]): Promise<{ child: ResultPromise }> {
    return await this.startCommand("up", onText, ...args);
  }

  /** Starts a command as the leader of a process group, to be interrupted or killed. npm would not forward a signal. */
  async startCommand(
    script: string,
    onText: (text: string) => void,
    ...args: string[]
  ): Promise<{ child: ResultPromise }> {
    const command = await start(process.execPath, ["cli/bootstrap.cjs", script, "--stack", this.name, ...args], {
      ...this.options(),
      detached: true,
      all: true,
      reject: false,
    });
    this.watch(command.child, () => command.child.kill("SIGINT"));
    command.child.all?.on("data", (data: Buffer) => {
      onText(data.toString());
      this.show(this.name, data.toString());
    });
    return command;
  }

  /** Runs `pulumi` on the stack. */
  async pulumi(...args: string[]): Promise<Finished> {
    return await this.runPulumi(args, args.includes("--json") ? () => undefined : this.show);
  }

  /** Runs `pulumi` without showing its output. */
  async pulumiQuietly(...args: string[]): Promise<Finished> {
    return await this.runPulumi(args, () => undefined);
  }

  private async runPulumi(args: readonly string[], show: Show): Promise<Finished> {
    const engine = await obtainEngine(silent, new AbortController().signal);
    const env = { ...this.env, ...engine.environment, PATH: `${engine.binDir}:${process.env.PATH}` };
    const all = [...args, "--stack", this.name, "--non-interactive", "--color", "never"];
    return await this.finish("pulumi", all, env, show);
  }

  /** Returns the outputs of the stack, with secrets hidden. */
  async outputs(): Promise<Record<string, unknown>> {
    const { text } = await this.pulumi("stack", "output", "--json");
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** Returns the ids of the stack's containers, or of one machine's. */
  async containers(machine?: string): Promise<string[]> {
    const { stackId } = await this.outputs();
    const labels = [`io.kubewright.stack=${String(stackId)}`, ...(machine ? [`io.kubewright.machine=${machine}`] : [])];
    const ids = await output("docker", [
      "ps",
      "-a",
      "-q",
      ...labels.flatMap((label) => ["--filter", `label=${label}`]),
    ]);
    return ids.split("\n").filter(Boolean);
  }

  /** Runs a shell script on a machine with `docker exec`. */
  async on(machine: string, script: string): Promise<string> {
    const [container = ""] = await this.containers(machine);
    return await output("docker", ["exec", container, "sh", "-c", script]);
  }

  /** Returns the URNs of resources of the state by type and name. */
  async urnsOf(type: string, ...names: string[]): Promise<string[]> {
    const { text } = await this.pulumiQuietly("stack", "export");
    const { deployment } = JSON.parse(text.slice(text.indexOf("{"))) as {
      deployment: { resources: { urn: string; type: string }[] };
    };
    return deployment.resources
      .filter((resource) => resource.type === type && names.some((name) => resource.urn.endsWith(`::${name}`)))
      .map(({ urn }) => urn);
  }

  /** Edits the stack's configuration file. */
  configure(change: (config: Record<string, unknown>) => unknown): void {
    const settings = parse(readFileSync(this.configFile, "utf8")) as { config: Record<string, unknown> };
    change(settings.config);
    writeFileSync(this.configFile, stringify(settings));
  }

  /** Writes the stack's configuration file, as a checkout on another computer has it. */
  writeConfig(text: string): void {
    writeFileSync(this.configFile, text);
  }

  /** Removes the state folder and the configuration file, which `down` keeps. */
  removeFiles(): void {
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.configFile, { force: true });
  }

  private async command(script: string, args: readonly string[], show = this.show): Promise<Finished> {
    return await this.finish("npm", ["run", script, "--", "--stack", this.name, ...args], this.env, show);
  }

  /** Remembers a command until it ends. */
  private watch(child: ResultPromise, onInterrupt = () => {}): void {
    process.once("SIGINT", onInterrupt);
    const ended = child.finally(() => {
      process.removeListener("SIGINT", onInterrupt);
      this.running.delete(ended);
    });
    this.running.add(ended);
  }

  private options() {
    return { cwd: this.root, env: this.env };
  }

  private async finish(file: string, args: readonly string[], env = this.env, show = this.show): Promise<Finished> {
    const { child } = await start(file, args, { cwd: this.root, env, all: true, reject: false, stdin: "ignore" });
    this.watch(child); // it gets the signal with all processes of the test run
    child.all?.on("data", (data: Buffer) => show(this.name, data.toString()));
    const { exitCode, all } = await child;
    return { code: exitCode, text: typeof all === "string" ? all : "" };
  }
}

/** Shows the output while a command runs. */
function echo(name: string, text: string): void {
  process.stdout.write(text.replaceAll(/^(?=.)/gm, `    ${name} │ `));
}
