import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import semver from "semver";
import { parse } from "yaml";
import { version } from "../../../../package.json";
import { loadVersions } from "../../../../artifacts";
import { PROGRAM, PROVIDER_FOLDER } from "../../../../cli/engine/program-files";
import { PROJECT } from "../../../../cli/engine/project-folder";
import { LANGUAGES, TEMPLATES, writeProject } from "../../../../cli/engine/project-templates";
import { parseConfig } from "../../../../components/config";
import { run } from "../../../../common/process";
import { projectRoot } from "../../../../common/project-root";
import { EMPTY_SSH_CONFIG } from "../../../../components/machines/ssh-route";

const DOCKER = { template: "docker", stack: "dev" };

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "kubewright-init-")), "new");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const read = (name: string) => readFileSync(join(folder, name), "utf8");
const SURROUNDINGS = {
  kubernetesVersions: Object.keys(loadVersions().kubernetes.supported),
  fileExists: () => true,
  ssh: EMPTY_SSH_CONFIG,
};

test.each(TEMPLATES)("the template %s is a valid configuration that names its schema", (template) => {
  const files = writeProject(folder, { template, stack: "lab" });
  expect(readdirSync(folder).sort()).toEqual(files.sort());
  const text = read("Pulumi.lab.yaml");
  expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=./kubewright.schema.json");
  const { config } = parse(text) as { config: Record<string, unknown> };
  const own = Object.entries(config).filter(([key]) => key.startsWith(`${PROJECT}:`));
  const sections = Object.fromEntries(own.map(([key, value]) => [key.slice(PROJECT.length + 1), value]));
  const { machines } = parseConfig(sections, SURROUNDINGS);
  expect(machines.kind).toBe(template === "hosts" ? "ssh" : template);
});

test("Pulumi finds the program and the provider where Kubewright writes them", () => {
  writeProject(folder, DOCKER);
  const project = parse(read("Pulumi.yaml")) as {
    name: string;
    main: string;
    plugins: { providers: { path: string }[] };
  };
  expect(project.name).toBe(PROJECT);
  expect(project.main).toBe(PROGRAM);
  expect(project.plugins.providers[0]?.path).toBe(PROVIDER_FOLDER);
});

test("an existing project is refused, and an existing .gitignore is kept", () => {
  writeProject(folder, DOCKER);
  expect(() => writeProject(folder, { template: "hosts", stack: "dev" })).toThrow(
    /already has Pulumi\.yaml and Pulumi\.dev\.yaml/,
  );
  for (const name of ["Pulumi.yaml", "Pulumi.dev.yaml", "kubewright.schema.json"]) rmSync(join(folder, name));
  writeFileSync(join(folder, ".gitignore"), "mine\n");
  expect(writeProject(folder, DOCKER)).not.toContain(".gitignore");
  expect(read(".gitignore")).toBe("mine\n");
  expect(existsSync(join(folder, "Pulumi.dev.yaml"))).toBe(true);
});

test.each(LANGUAGES)(
  "a program in %s finds the provider in the package, whose version its package.json accepts",
  (language) => {
    const files = writeProject(folder, { ...DOCKER, language });
    expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
    const project = parse(read("Pulumi.yaml")) as { name: string; plugins: { providers: { path: string }[] } };
    expect(project.name).toBe(PROJECT);
    const launcher = join(project.plugins.providers[0]?.path ?? "", "pulumi-resource-kubewright");
    expect(statSync(join(folder, launcher)).mode & 0o100).toBe(0o100);
    expect(read(launcher)).toContain("../node_modules/kubewright/bin/pulumi-resource-kubewright");
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: { kubewright: string } };
    expect(semver.satisfies(version, dependencies.kubewright)).toBe(true);
  },
);

test.each(LANGUAGES)(
  "only the template in %s that `pulumi new` reads has its prompts, whose defaults are valid",
  (language) => {
    writeProject(folder, { ...DOCKER, language });
    expect(parse(read("Pulumi.yaml"))).not.toHaveProperty("template");
    const source = join(projectRoot(), "templates", "project", "languages", language, "Pulumi.yaml");
    const { template } = parse(readFileSync(source, "utf8")) as {
      template: { description: string; config: Record<string, { description: string; default: string }> };
    };
    const sections = Object.entries(template.config).map(([name, { default: text }]) => [
      name,
      JSON.parse(text) as object,
    ]);
    expect(parseConfig(Object.fromEntries(sections), SURROUNDINGS).machines.kind).toBe("docker");
    expect(Object.values(template.config).every(({ description }) => description !== "")).toBe(true);
  },
);

test("without the package, the launcher of the provider says how to install it", async () => {
  writeProject(folder, { ...DOCKER, language: "yaml" });
  const launcher = join(folder, "provider", "pulumi-resource-kubewright");
  const { exitCode, stderr } = await run(process.execPath, [launcher], { reject: false });
  expect(exitCode).toBe(1);
  expect(stderr).toBe("the provider of Kubewright is not installed; run `npm install` in the folder of the project");
});
