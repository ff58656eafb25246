import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { obtainEngine } from "../../artifacts/engine";
import { writeProject } from "../../cli/engine/project-templates";
import { run } from "../../common/process";
import { silent } from "../../common/progress";
import { projectRoot } from "../../common/project-root";

/** What languages need besides the engine. */
interface LanguagePrograms {
  /** Folders of programs, such as language hosts. */
  path: string[];
  /** The virtual environment of projects in Python. */
  venv?: string;
}

/** Projects in several languages, with the real engine and a state of their own. */
export class LanguageProjects {
  readonly root = mkdtempSync(join(tmpdir(), "kubewright-languages-"));
  private env: NodeJS.ProcessEnv = {};
  private venv: string | undefined;

  async prepare({ path, venv }: LanguagePrograms): Promise<void> {
    const engine = await obtainEngine(silent, new AbortController().signal);
    this.venv = venv;
    this.env = {
      ...engine.environment,
      PATH: [...path, engine.binDir, process.env.PATH].join(delimiter),
      PULUMI_HOME: join(this.root, "home"),
      PULUMI_BACKEND_URL: `file://${this.root}`,
      PULUMI_CONFIG_PASSPHRASE: "languages",
      PULUMI_NODEJS_TRANSPILE_ONLY: "true", // the sources have no declarations
    };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  async pulumi(folder: string, ...args: string[]): Promise<string> {
    return await this.run(folder, "pulumi", ...args, "--color", "never");
  }

  /** Runs a program, which finds the engine, and returns what it writes. Fails the test if it fails. */
  async run(folder: string, program: string, ...args: string[]): Promise<string> {
    const options = { cwd: folder, env: this.env, all: true, reject: false, stdin: "ignore" } as const;
    const { all, exitCode } = await run(program, args, options);
    expect(exitCode, String(all)).toBe(0);
    return String(all);
  }

  /** Writes a project for Docker machines with a new stack, and returns its folder. */
  async create(language: string, stack: string): Promise<string> {
    const folder = join(this.root, stack);
    writeProject(folder, { template: "docker", stack, language });
    this.installPackages(folder);
    await this.pulumi(folder, "stack", "init", stack);
    return folder;
  }

  /**
   * Writes a project with a program of its own and a new stack, and returns its folder. A program in YAML is the rest
   * of `Pulumi.yaml`.
   */
  async write(stack: string, runtime: string, files: Record<string, string>): Promise<string> {
    const folder = join(this.root, stack);
    this.installPackages(folder);
    const plugins = { providers: [{ name: "kubewright", path: "./node_modules/kubewright/bin" }] };
    const project = stringify({ name: "kubewright", runtime, plugins });
    const { "Pulumi.yaml": resources = "" } = files;
    for (const [name, text] of Object.entries({ ...files, "Pulumi.yaml": `${project}${resources}` }))
      writeFileSync(join(folder, name), text);
    await this.pulumi(folder, "stack", "init", stack);
    return folder;
  }

  /** As `npm install` does, without a registry, and with the sources in place of a built package. */
  private installPackages(folder: string): void {
    const modules = join(folder, "node_modules");
    const library = join(modules, "kubewright");
    for (const path of [library, join(modules, "@pulumi")]) mkdirSync(path, { recursive: true });
    symlinkSync(join(projectRoot(), "bin"), join(library, "bin"));
    writeFileSync(join(library, "package.json"), '{"name": "kubewright-sources", "main": "index.js"}');
    const sources = JSON.stringify(join(projectRoot(), "components", "index.ts"));
    writeFileSync(join(library, "index.js"), `require("tsx/cjs");\nmodule.exports = require(${sources});\n`);
    for (const name of ["@pulumi/pulumi", "tsx", "typescript"])
      symlinkSync(join(projectRoot(), "node_modules", name), join(modules, name));
    if (this.venv) symlinkSync(this.venv, join(folder, "venv"));
  }
}

/** Tests the project that `kubewright init --language` and `pulumi new` write. Nothing is created. */
export function testLanguage(language: string, projects: LanguageProjects): void {
  test(`a program in ${language} previews the cluster that the stack's configuration describes`, async () => {
    const folder = await projects.create(language, language);
    const preview = await projects.pulumi(folder, "preview", "--non-interactive");
    for (const resource of [`kubeadm:Init ${language}-init`, "kubeadm:Join worker-2-join", "docker:Machine worker-1"])
      expect(preview).toContain(`kubewright:${resource} create`);
    expect(preview).toContain(`kubeconfigPath: "${join(".kubewright", language, "kubeconfig")}"`);
  });

  test(`a program in ${language} is a template of \`pulumi new\``, async () => {
    const folder = join(projects.root, `new-${language}`);
    const template = join(projectRoot(), "templates", "project", "languages", language);
    const options = ["--dir", folder, "--generate-only", "--yes", "--name", "kubewright"];
    await projects.pulumi(projects.root, "new", template, ...options);
    expect(readdirSync(folder).sort()).toEqual(readdirSync(template).sort());
    const project = parse(readFileSync(join(folder, "Pulumi.yaml"), "utf8")) as { name: string };
    expect(project).toMatchObject({ name: "kubewright", description: "A Kubernetes cluster" });
    expect(project).not.toHaveProperty("template");
    expect(statSync(join(folder, "provider", "pulumi-resource-kubewright")).mode & 0o100).toBe(0o100);
  });
}
