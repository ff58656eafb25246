import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { obtainEngine } from "../../artifacts/index";
import { silent } from "../../common/progress";
import { projectRoot } from "../../common/project-root";
import { stackIdOf } from "../../components/machines/docker";
import { removeStack } from "../../provider/docker/remove-stack";
import { run } from "../../common/process";
import { SharedPlugin } from "../support/shared-plugin";

/** Packs the package and uses it in other Pulumi programs, which find the provider through Pulumi.yaml. */
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-library-"));
  const engine = await obtainEngine(silent, new AbortController().signal);
  env = {
    ...engine.environment,
    PATH: `${engine.binDir}:${folder}:${process.env.PATH}`,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "library",
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program and returns its output; fails with the output when the program fails. */
const runIn = async (file: string, args: string[], cwd: string) => {
  const { all, exitCode } = await run(file, args, { cwd, env, all: true, reject: false, stdin: "ignore" });
  expect(exitCode, String(all)).toBe(0);
  return String(all);
};

test("another program compiles with the packed library and previews a cluster", async () => {
  await runIn("npm", ["pack", "--pack-destination", folder], projectRoot());
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  const program = join(folder, "program");
  cpSync(join(projectRoot(), "examples", "as-a-library"), program, {
    recursive: true,
    filter: (path) => !path.includes("node_modules"),
  });
  await runIn("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", join(folder, archive)], program);
  await runIn("npx", ["tsc", "--noEmit", "-p", "."], program);
  await runIn("pulumi", ["stack", "init", "library"], program);
  const preview = await runIn("pulumi", ["preview", "--non-interactive", "--color", "never"], program);
  for (const resource of [
    "kubewright:docker:Machine control-plane-1",
    "kubewright:kubeadm:Init library-init",
    "kubewright:kubeadm:Join worker-1-join",
  ])
    expect(preview).toContain(`${resource} create`);
}, 300_000);

/** A characteristic resource of every other example. */
const EXAMPLES: Record<string, string> = {
  digitalocean: "digitalocean:index/droplet:Droplet worker-1",
  "existing-hosts": "kubewright:kubeadm:Join worker-2-join",
  "extra-commands": "command:remote:Command worker-1-hostname",
  "hetzner-ha": "hcloud:index/server:Server worker-3",
};

test("every other example compiles with its packages and creates its characteristic resource", async () => {
  const examples = join(projectRoot(), "examples");
  const program = join(folder, "program");
  const others = readdirSync(examples).filter(
    (name) => name !== "as-a-library" && existsSync(join(examples, name, "index.ts")),
  );
  expect(others.sort()).toEqual(Object.keys(EXAMPLES));
  const dependencies = others.flatMap((name) =>
    Object.entries(
      (
        JSON.parse(readFileSync(join(examples, name, "package.json"), "utf8")) as {
          dependencies: Record<string, string>;
        }
      ).dependencies,
    ),
  );
  const packages = [...new Map(dependencies.filter(([, version]) => !version.startsWith("file:"))).entries()].map(
    ([name, version]) => `${name}@${version}`,
  );
  await runIn("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", ...packages], program);
  for (const name of others) cpSync(join(examples, name, "index.ts"), join(program, `${name}.ts`));
  cpSync(join(projectRoot(), "tests", "support", "mocked-program.ts"), join(program, "mocked-program.ts"));
  await runIn("npx", ["tsc", "-p", ".", "--outDir", "out"], program);
  for (const [name, resource] of Object.entries(EXAMPLES)) {
    const resources = await runIn("node", [join("out", "mocked-program.js"), name], program);
    expect(resources.split("\n")).toContain(resource);
  }
}, 300_000);

describe("examples/extra-commands", () => {
  const command = new SharedPlugin("command");
  beforeEach(({ skip }) => skip(command.missing !== undefined, command.missing));

  let extra = "";
  beforeAll(async () => {
    extra = join(folder, "extra");
    if (command.missing !== undefined) return;
    cpSync(join(projectRoot(), "examples", "extra-commands"), extra, {
      recursive: true,
      filter: (path) => !path.includes("node_modules"),
    });
    symlinkSync(join(folder, "program", "node_modules"), join(extra, "node_modules"));
    await command.unpack(folder);
  });
  afterAll(async () => {
    const key = keyFile();
    if (existsSync(key)) await removeStack(idOf(key), AbortSignal.timeout(120_000)); // after a failure
  });

  const keyFile = () => join(extra, ".keys", "id_ed25519.pub");
  const idOf = (key: string) => stackIdOf("extra", readFileSync(key, "utf8"));
  const quietly = ["--yes", "--skip-preview", "--non-interactive", "--color", "never"];

  test("runs an additional command on every worker after its join", async () => {
    await runIn("pulumi", ["stack", "init", "extra"], extra);
    await runIn("pulumi", ["up", ...quietly], extra);
    expect(await runIn("pulumi", ["stack", "output", "joinedWorkers", "--json", "--show-secrets"], extra)).toMatch(
      /\[\s*"worker-1"\s*\]$/,
    );
    const state = await runIn("pulumi", ["stack", "export"], extra);
    expect(state).toContain("command:remote:Command");
    expect(state).not.toContain("OPENSSH PRIVATE KEY");
  });

  test("pulumi destroy removes all machines", async () => {
    const stackId = idOf(keyFile());
    expect(await runIn("pulumi", ["destroy", ...quietly], extra)).toMatch(/remote:Command worker-1-hostname deleted/);
    expect(await removeStack(stackId, AbortSignal.timeout(120_000))).toEqual({
      containers: 0,
      networks: 0,
      volumes: 0,
    });
  });
});
