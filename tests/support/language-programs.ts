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
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
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

/**
 * Tests the projects that `kubewright init --language` and `pulumi new` write, with the real engine. Nothing is
 * created.
 */
export function testLanguages(languages: readonly string[], prepare: () => Promise<LanguagePrograms>): void {
  const root = mkdtempSync(join(tmpdir(), "kubewright-languages-"));
  let env: NodeJS.ProcessEnv;
  let programs: LanguagePrograms;
  beforeAll(async () => {
    const engine = await obtainEngine(silent, new AbortController().signal);
    programs = await prepare();
    const path = [...programs.path, engine.binDir, process.env.PATH].join(delimiter);
    env = {
      ...engine.environment,
      PATH: path,
      PULUMI_HOME: join(root, "home"),
      PULUMI_BACKEND_URL: `file://${root}`,
      PULUMI_CONFIG_PASSPHRASE: "languages",
      PULUMI_NODEJS_TRANSPILE_ONLY: "true", // the sources have no declarations
    };
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  async function pulumi(folder: string, ...args: string[]): Promise<string> {
    const options = { cwd: folder, env, all: true, reject: false, stdin: "ignore" } as const;
    const { all, exitCode } = await run("pulumi", [...args, "--color", "never"], options);
    expect(exitCode, String(all)).toBe(0);
    return String(all);
  }

  /** As `npm install` does, without a registry, and with the sources in place of a built package. */
  function installPackages(folder: string): void {
    const modules = join(folder, "node_modules");
    const library = join(modules, "kubewright");
    for (const path of [library, join(modules, "@pulumi")]) mkdirSync(path, { recursive: true });
    symlinkSync(join(projectRoot(), "bin"), join(library, "bin"));
    writeFileSync(join(library, "package.json"), '{"name": "kubewright-sources", "main": "index.js"}');
    const sources = JSON.stringify(join(projectRoot(), "components", "index.ts"));
    writeFileSync(join(library, "index.js"), `require("tsx/cjs");\nmodule.exports = require(${sources});\n`);
    for (const name of ["@pulumi/pulumi", "tsx", "typescript"])
      symlinkSync(join(projectRoot(), "node_modules", name), join(modules, name));
    if (programs.venv) symlinkSync(programs.venv, join(folder, "venv"));
  }

  describe.each(languages)("a program in %s", (language) => {
    test("previews the cluster that the stack's configuration describes", async () => {
      const folder = join(root, language);
      const stack = language;
      writeProject(folder, { template: "docker", stack, language });
      installPackages(folder);
      await pulumi(folder, "stack", "init", stack);
      const preview = await pulumi(folder, "preview", "--non-interactive");
      for (const resource of [`kubeadm:Init ${stack}-init`, "kubeadm:Join worker-2-join", "docker:Machine worker-1"])
        expect(preview).toContain(`kubewright:${resource} create`);
      expect(preview).toContain(`kubeconfigPath: "${join(folder, ".kubewright", stack, "kubeconfig")}"`);
    });

    test("is a template of `pulumi new`", async () => {
      const folder = join(root, `new-${language}`);
      const template = join(projectRoot(), "templates", "project", "languages", language);
      await pulumi(root, "new", template, "--dir", folder, "--generate-only", "--yes", "--name", "kubewright");
      expect(readdirSync(folder).sort()).toEqual(readdirSync(template).sort());
      const project = parse(readFileSync(join(folder, "Pulumi.yaml"), "utf8")) as { name: string };
      expect(project).toMatchObject({ name: "kubewright", description: "A Kubernetes cluster" });
      expect(project).not.toHaveProperty("template");
      expect(statSync(join(folder, "provider", "pulumi-resource-kubewright")).mode & 0o100).toBe(0o100);
    });
  });
}
