import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { obtainEngine } from "../../artifacts/index";
import { silent } from "../../common/progress";
import { projectRoot } from "../../common/project-root";
import { run } from "../../scripts/lib/exec";

/** The package as a stranger's Pulumi program meets it: packed, installed, imported; its provider found through Pulumi.yaml. */
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-library-"));
  const engine = await obtainEngine(silent, new AbortController().signal);
  env = {
    ...engine.environment,
    PATH: `${engine.binDir}:${process.env.PATH}`,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "library",
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const say = async (file: string, args: string[], cwd: string) => {
  const { all, exitCode } = await run(file, args, { cwd, env, all: true, reject: false, stdin: "ignore" });
  expect(exitCode, String(all)).toBe(0);
  return String(all);
};

test("a program of its own plans a cluster with the packed library, and its types check", async () => {
  await say("npm", ["pack", "--pack-destination", folder], projectRoot());
  const packed = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  const program = join(folder, "program");
  cpSync(join(projectRoot(), "examples", "as-a-library"), program, { recursive: true, filter: (path) => !path.includes("node_modules") });
  await say("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", join(folder, packed)], program);
  await say("npx", ["tsc", "--noEmit", "-p", "."], program);
  await say("pulumi", ["stack", "init", "library"], program);
  const plan = await say("pulumi", ["preview", "--non-interactive", "--color", "never"], program);
  for (const made of ["kubewright:docker:Machine boss", "kubewright:kubeadm:Init boss-init", "kubewright:kubeadm:Join hand-join"]) expect(plan).toContain(`${made} create`);
}, 300_000);

test("the types of every other example check, with the packages that it names", async () => {
  const examples = join(projectRoot(), "examples");
  const program = join(folder, "program");
  const others = readdirSync(examples).filter((name) => name !== "as-a-library" && existsSync(join(examples, name, "index.ts")));
  const wanted = others.flatMap((name) => Object.entries((JSON.parse(readFileSync(join(examples, name, "package.json"), "utf8")) as { dependencies: Record<string, string> }).dependencies));
  const packages = [...new Map(wanted.filter(([, version]) => !version.startsWith("file:"))).entries()].map(([name, version]) => `${name}@${version}`);
  await say("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", ...packages], program);
  for (const name of others) cpSync(join(examples, name, "index.ts"), join(program, `${name}.ts`));
  await say("npx", ["tsc", "--noEmit", "-p", "."], program);
}, 300_000);
