import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../../common/process";
import { projectRoot } from "../../../common/project-root";

/** A user's way: `npx` of the packed package in a new folder, outside the clone. */
const root = realpathSync(mkdtempSync(join(tmpdir(), "kubewright-package-")));
const project = join(root, "project");
let archive: string;

const env: NodeJS.ProcessEnv = { ...process.env };
delete env.PULUMI_BACKEND_URL;
delete env.PULUMI_CONFIG_PASSPHRASE;

interface Finished {
  code: number;
  /** stdout and stderr, with npm's own messages. */
  text: string;
  stdout: string;
}

async function execute(file: string, args: readonly string[], cwd: string): Promise<Finished> {
  const result = await run(file, [...args], { cwd, env, all: true, reject: false, stdin: "ignore" });
  return { code: result.exitCode ?? -1, text: String(result.all), stdout: String(result.stdout) };
}

/** Runs `npx kubewright ...` with the packed package, and shows how long it took. */
async function kubewright(args: string, cwd = project): Promise<Finished> {
  const start = Date.now();
  const npx = ["exec", "--yes", "--ignore-scripts", `--package=${archive}`, "--", "kubewright", ...args.split(" ")];
  const finished = await execute("npm", npx, cwd);
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  process.stdout.write(`kubewright ${args}: exit code ${finished.code} in ${seconds} s\n`);
  if (finished.code !== 0) process.stdout.write(`${finished.text}\n`);
  return finished;
}

beforeAll(async () => {
  const packed = await execute("npm", ["pack", "--pack-destination", root], projectRoot());
  expect(packed.code, packed.text).toBe(0);
  archive = join(root, readdirSync(root).find((name) => name.endsWith(".tgz")) ?? "");
});

afterAll(async () => {
  if (existsSync(project)) await kubewright("down --yes --force");
  rmSync(root, { recursive: true, force: true });
});

test("publint and attw find no mistake in the package", async () => {
  const bin = (name: string) => join(projectRoot(), "node_modules", ".bin", name);
  const lint = await execute(bin("publint"), ["run", archive, "--strict"], root);
  expect(lint.code, lint.text).toBe(0);
  const types = await execute(bin("attw"), [archive, "--no-emoji", "--no-color"], root);
  expect(types.code, types.text).toBe(0);
});

test("outside a project, commands say how to create one, and init creates it", async () => {
  const refused = await kubewright("status", root);
  expect(refused.code).toBe(3);
  expect(refused.text).toMatch(/create one in an empty folder with `npx kubewright init`/);
  const created = await kubewright("init project", root);
  expect(created.text).toMatch(/npx kubewright up/);
  expect(readdirSync(project).sort()).toEqual([
    ".gitignore",
    "Pulumi.dev.yaml",
    "Pulumi.yaml",
    "kubewright.schema.json",
  ]);
});

test("up creates the cluster, and a second one changes nothing", async () => {
  const file = join(project, "Pulumi.dev.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace("count: 2", "count: 1"));
  const first = await kubewright("up");
  expect(first.code).toBe(0);
  expect(first.text).toMatch(/worker-1 +Ready/);
  expect(first.text).toMatch(/npx kubewright status/);
  expect(readFileSync(file, "utf8")).toContain("# yaml-language-server: $schema=./kubewright.schema.json");
  expect((await kubewright("up")).text).toMatch(/Nothing to change/);
});

test("status is healthy, and its JSON comes alone on stdout", async () => {
  const { code, stdout } = await kubewright("status --json --quiet");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ healthy: true });
});

test("down deletes the cluster, and keeps the project", async () => {
  expect((await kubewright("down --yes")).text).toMatch(/Stack "dev" is deleted/);
  expect(existsSync(join(project, "Pulumi.dev.yaml"))).toBe(true);
  expect(existsSync(join(project, ".kubewright", "state", ".pulumi", "stacks", "kubewright", "dev.json"))).toBe(false);
});
