import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { run } from "../../../common/process";
import { projectRoot } from "../../../common/project-root";
import { version } from "../../../package.json";
import schema from "../../../provider/schema.json";
import { buildGoHost, buildLanguageHosts, createVirtualEnvironment } from "../../support/language-hosts";
import { LanguageProjects } from "../../support/language-programs";
import { generateSdks } from "../../support/sdks/generator";
import {
  COMPONENTS,
  type Component,
  MAVEN_PROJECT,
  documentedProgram,
  goModule,
  unknownNames,
} from "../../support/sdks/programs";

/** The SDKs that Pulumi's generators make of our schema, and the programs of docs/languages.md. Nothing is created. */
const projects = new LanguageProjects();
const sdks = join(projects.root, "sdks");
const provider = join(projectRoot(), "bin", "pulumi-resource-kubewright");
const GO = { GOFLAGS: "-mod=mod", GOWORK: "off" };
let venv: string;

beforeAll(async () => {
  const hosts = [await buildLanguageHosts(), await buildGoHost()];
  venv = await createVirtualEnvironment(projects.root);
  await projects.prepare({ path: [...hosts, join(venv, "bin")], venv });
  const published = join(projects.root, "schema.json");
  writeFileSync(published, await projects.pulumi(projects.root, "package", "get-schema", provider));
  await generateSdks(published, sdks);
});

afterAll(() => projects.remove());

/** The resources that each program must preview, and an output. */
const EXPECTED: Record<Component, string[]> = {
  ConfiguredCluster: ["docker:Machine worker-3", "kubeadm:Join worker-3-join"],
  Cluster: ["kubeadm:Init cluster-init", "kubeadm:Join cluster-worker-1-join"],
};

async function previewsCluster(folder: string, component: Component): Promise<void> {
  await projects.pulumi(folder, "config", "set", "--secret", "password", "sesame");
  const preview = await projects.pulumi(folder, "preview", "--non-interactive");
  for (const resource of EXPECTED[component]) expect(preview).toContain(`kubewright:${resource} create`);
  expect(preview).toContain(component === "Cluster" ? "kubeconfig" : 'kubeconfigPath: ".kubewright');
  expect(preview).not.toContain("sesame");
}

test("the engine reads the schema of the provider, with its version", async () => {
  const published: unknown = JSON.parse(readFileSync(join(projects.root, "schema.json"), "utf8"));
  expect(published).toEqual({ ...schema, version, config: {} });
});

describe("Go", () => {
  test.each(COMPONENTS)("the program with %s compiles with the SDK, and previews a cluster", async (component) => {
    const files = { "main.go": documentedProgram("go", component), "go.mod": goModule(join(sdks, "go")) };
    const folder = await projects.write(`go-${component.toLowerCase()}`, "go", files);
    for (const args of [
      ["mod", "tidy"],
      ["vet", "./...", "github.com/kubewright/kubewright/sdk/go/..."],
    ])
      await run("go", args, { cwd: folder, env: GO });
    await previewsCluster(folder, component);
  });
});

describe("Python", () => {
  beforeAll(() => run(join(venv, "bin", "pip"), ["install", "--quiet", join(sdks, "python")]));

  test("the SDK compiles", async () => {
    await run(join(venv, "bin", "python"), ["-W", "error", "-m", "compileall", "-q", join(sdks, "python")]);
  });

  test.each(COMPONENTS)("the program with %s previews a cluster with the SDK", async (component) => {
    const files = { "__main__.py": documentedProgram("python", component) };
    await previewsCluster(await projects.write(`python-${component.toLowerCase()}`, "python", files), component);
  });
});

describe("YAML", () => {
  test("the program with ConfiguredCluster previews a cluster", async () => {
    const files = { "Pulumi.yaml": documentedProgram("yaml", "ConfiguredCluster") };
    await previewsCluster(await projects.write("yaml-configured", "yaml", files), "ConfiguredCluster");
  });

  test("a configuration may have a jump host as a text, which the schema cannot describe", async () => {
    const privateKeyPath = join(projects.root, "key");
    writeFileSync(privateKeyPath, ""); // only its existence matters to a preview
    const machine = { name: "control-plane-1", host: "10.0.0.1", privateKeyPath };
    const host = { ...machine, role: "control-plane", jump: "admin@10.0.0.9" };
    const configuration = { machines: { kind: "ssh", ssh: { hosts: [host] } } };
    const cluster = { type: "kubewright:components:ConfiguredCluster", properties: { configuration } };
    const folder = await projects.write("yaml-jump", "yaml", { "Pulumi.yaml": stringify({ resources: { cluster } }) });
    expect(await projects.pulumi(folder, "preview", "--non-interactive")).toContain("kubewright:kubeadm:Init");
  });
});

test("a program in YAML may build a cluster of its own component by component, and have canaries", async () => {
  const machine = (name: string, host: string) => ({ name, host, privateKeyPath: "/home/me/.ssh/id_ed25519" });
  const workers = { name: "workers", machines: [machine("worker-1", "10.0.0.11")], canaries: ["worker-1"] };
  const properties = {
    version: "1.36.3",
    controlPlanes: [machine("control-plane-1", "10.0.0.1")],
    pools: [workers],
    components: { rung: "apiserver" },
  };
  const cluster = { type: "kubewright:components:Cluster", properties };
  const folder = await projects.write("yaml-ladder", "yaml", { "Pulumi.yaml": stringify({ resources: { cluster } }) });
  expect(await projects.pulumi(folder, "preview", "--non-interactive")).toContain("kubewright:kubelet:Join");
});

describe("Node.js", () => {
  test("the program with ConfiguredCluster previews a cluster with the library", async () => {
    const files = { "index.ts": documentedProgram("ts", "ConfiguredCluster"), "package.json": '{"main": "index.ts"}' };
    await previewsCluster(await projects.write("nodejs-configured", "nodejs", files), "ConfiguredCluster");
  });

  test("the SDK compiles, and has the components", async () => {
    const sdk = join(sdks, "nodejs");
    symlinkSync(join(projectRoot(), "node_modules"), join(sdk, "node_modules"));
    await run(process.execPath, [join(projectRoot(), "node_modules", "typescript", "bin", "tsc")], { cwd: sdk });
    copyFileSync(join(sdk, "package.json"), join(sdk, "bin", "package.json")); // it reads its version there
    const script = `process.stdout.write(Object.keys(require("./bin").components).sort().join())`;
    const { stdout } = await run(process.execPath, ["-e", script], { cwd: sdk });
    expect(stdout).toBe("Cluster,ConfiguredCluster");
  });
});

describe(".NET", () => {
  test.each(COMPONENTS)("the SDK has the names that the program with %s uses", (component) => {
    expect(unknownNames(documentedProgram("csharp", component), join(sdks, "dotnet"))).toEqual([]);
  });

  describe("with dotnet", () => {
    beforeEach(async ({ skip }) => {
      const { failed } = await run("dotnet", ["--version"], { reject: false });
      skip(failed, "dotnet is not installed: the SDK for .NET is generated, not compiled");
    });

    test("the SDK compiles", async () => {
      await run("dotnet", ["build"], { cwd: join(sdks, "dotnet") });
    });
  });
});

describe("Java", () => {
  beforeEach(async ({ skip }) => {
    const { failed } = await run("mvn", ["--version"], { reject: false });
    skip(failed, "Maven is not installed: the program in Java is not compiled");
  });

  test("the program with ConfiguredCluster previews a cluster without an SDK", async () => {
    const folder = join(projects.root, "java");
    const sources = join(folder, "src", "main", "java");
    mkdirSync(sources, { recursive: true });
    writeFileSync(join(folder, "pom.xml"), MAVEN_PROJECT);
    writeFileSync(join(sources, "App.java"), documentedProgram("java", "ConfiguredCluster"));
    const goals = ["compile", "dependency:build-classpath", "-Dmdep.outputFile=classpath"]; // cspell:ignore Dmdep
    await run("mvn", ["--quiet", "--batch-mode", ...goals], { cwd: folder });
    const classes = `target/classes:${readFileSync(join(folder, "classpath"), "utf8")}`;
    const script = 'PATH="$0:$PATH" exec java -cp "$1" App';
    const preview = await projects.run(folder, "sh", "-c", script, join(projectRoot(), "bin"), classes);
    for (const resource of EXPECTED.ConfiguredCluster) expect(preview).toContain(`kubewright:${resource} create`);
    expect(preview).toContain('kubeconfigPath: ".kubewright/lab/kubeconfig"');
  });
});
