import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { loadVersions } from "../../../../artifacts";
import { PROGRAM, PROVIDER_FOLDER } from "../../../../cli/engine/program-files";
import { PROJECT } from "../../../../cli/engine/project-folder";
import { TEMPLATES, writeProject } from "../../../../cli/engine/project-templates";
import { parseConfig } from "../../../../components/config";
import { EMPTY_SSH_CONFIG } from "../../../../components/machines/ssh-route";

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
  const files = writeProject(folder, template, "lab");
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
  writeProject(folder, "docker", "dev");
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
  writeProject(folder, "docker", "dev");
  expect(() => writeProject(folder, "hosts", "dev")).toThrow(/already has Pulumi\.yaml and Pulumi\.dev\.yaml/);
  for (const name of ["Pulumi.yaml", "Pulumi.dev.yaml", "kubewright.schema.json"]) rmSync(join(folder, name));
  writeFileSync(join(folder, ".gitignore"), "mine\n");
  expect(writeProject(folder, "docker", "dev")).not.toContain(".gitignore");
  expect(read(".gitignore")).toBe("mine\n");
  expect(existsSync(join(folder, "Pulumi.dev.yaml"))).toBe(true);
});
