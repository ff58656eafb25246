import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { obtainEngine } from "../../../artifacts/engine";
import { cacheRoot } from "../../../common/cache-root";
import { run } from "../../../common/process";
import { silent } from "../../../common/progress";
import { projectRoot } from "../../../common/project-root";
import { NOT_READ } from "../../../provider/preview/notices";
import { Postgres, postgresRequirement } from "../../support/postgres";
import { ACCESS, S3Server } from "../../support/s3-server";
import { createTestFolder, removeTestFolder } from "../../support/test-folder";
import { TestStack } from "../../support/test-stack";

/** Two computers of a team: each has its own home folder and cache. The database has the state. */
let homes = "";
beforeAll(async () => void (homes = await createTestFolder("team-homes")));
afterAll(() => removeTestFolder(homes));

describe("a team with a state in PostgreSQL", () => {
  let postgres: Postgres;
  const stacks: TestStack[] = [];

  /** The stack as one computer sees it. The engine is the same, so that it is built once. */
  async function computer(name: string): Promise<TestStack> {
    const home = join(homes, name);
    mkdirSync(home, { recursive: true });
    const engine = await obtainEngine(silent, new AbortController().signal);
    const config = stacks[0] && readFileSync(stacks[0].configFile, "utf8"); // a file of the project
    const stack = new TestStack("team", {
      ...{ HOME: home, KUBEWRIGHT_CACHE: name === "a" ? cacheRoot() : join(home, "cache") },
      ...{ PATH: `${engine.binDir}:${process.env.PATH}`, npm_config_cache: join(homes, "npm") },
      ...{ PULUMI_BACKEND_URL: postgres.url, PULUMI_CONFIG_PASSPHRASE: "test team" },
    });
    if (config !== undefined) stack.writeConfig(config);
    stacks.push(stack);
    return stack;
  }

  let a: TestStack;
  beforeAll(async () => {
    const { met, reason } = await postgresRequirement();
    if (!met) throw new Error(reason);
    postgres = await Postgres.start();
    a = await computer("a");
  });
  afterAll(async () => {
    if (a) await a.down("--force");
    for (const stack of stacks) stack.removeFiles();
    await postgres?.stop();
  });

  test("the first computer creates the cluster, and the state names none of its folders", async () => {
    const { code, text } = await a.up("--config", "workers.count=1");
    expect(code, text).toBe(0);
    const state = await a.pulumiQuietly("stack", "export");
    const resources = state.text.replaceAll(/"kubectlPath": "[^"]*"/g, "");
    for (const folder of [join(homes, "a"), cacheRoot(), projectRoot()]) expect(resources).not.toContain(folder);
    expect(resources).not.toContain("PRIVATE KEY");
  });

  test("a plain refresh as the first command of a computer reads the machines, and finds no change", async () => {
    const key = readFileSync(join(a.stackFolder, "id_ed25519"), "utf8");
    rmSync(a.stackFolder, { recursive: true }); // the project of another computer does not have it
    const b = await computer("b");
    const refreshed = await b.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
    expect(refreshed.code, refreshed.text).toBe(0);
    expect(refreshed.text).not.toContain(NOT_READ);
    expect(readFileSync(join(b.stackFolder, "id_ed25519"), "utf8")).toBe(key);
    expect(existsSync(join(b.stackFolder, "kubeconfig"))).toBe(false);
  });

  test("the second computer sees only the kubeconfig that is not there, and changes what is announced", async () => {
    const b = stacks.at(-1) ?? a;
    const key = readFileSync(join(b.stackFolder, "id_ed25519"), "utf8");
    rmSync(b.stackFolder, { recursive: true });
    const planned = await b.npmRun("preview");
    expect(planned.code, planned.text).toBe(2); // only the kubeconfig is written: see below
    expect(readFileSync(join(b.stackFolder, "id_ed25519"), "utf8")).toBe(key);
    expect(await plannedSteps(b)).toEqual(["update kubeconfig"]);
    await b.kubeconfig(); // reads it from the control plane, as it is in the state
    expect(await plannedSteps(b)).toEqual([]);
    const refreshed = await b.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
    expect(refreshed.code, refreshed.text).toBe(0);
    // Filling this computer's cache would take ten minutes where the binaries are built.
    mkdirSync(join(homes, "b", "cache"), { recursive: true });
    await run("cp", ["--archive", join(cacheRoot(), "artifacts"), join(homes, "b", "cache")]);
    const changed = await b.up("--config", "workers.count=2");
    expect(changed.code, changed.text).toBe(0);
    expect(changed.text).toMatch(/worker-2 +Ready/);
    expect(changed.text).not.toMatch(/worker-1-\w+: (creating|replacing)/);
    await b.check();
  });

  test("of two runs at the same time, the second names the holder of the lock", async () => {
    const b = stacks.at(-1) ?? a;
    let output = "";
    const { child } = await a.startUp((text) => (output += text), "--config", "workers.count=3");
    await expect.poll(() => output, { timeout: 60_000 }).toMatch(/worker-3.*: creating/);
    const second = await b.pulumi("up", "--yes", "--skip-preview");
    expect(second.code).not.toBe(0);
    expect(second.text).toMatch(/currently locked by 1 lock[\s\S]*created by \w+@\S+ \(pid \d+\)/);
    await child;
  });

  test("a third computer destroys the cluster with plain Pulumi as its first command", async () => {
    rmSync(a.stackFolder, { recursive: true });
    const c = await computer("c");
    const { code, text } = await c.pulumi("destroy", "--yes", "--skip-preview");
    expect(code, text).toBe(0);
    expect(existsSync(join(c.stackFolder, "id_ed25519"))).toBe(false);
  });

  test("the first computer removes the stack", async () => {
    const { code, text } = await a.down();
    expect(code, text).toBe(0);
  });
});

/** Returns the changes that `pulumi preview` shows. */
async function plannedSteps(stack: TestStack): Promise<string[]> {
  const preview = await stack.pulumi("preview", "--json");
  const { steps } = JSON.parse(preview.text) as { steps: { op: string; urn: string }[] };
  return steps.filter(({ op }) => op !== "same").map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`);
}

describe("a state in S3", () => {
  let folder = "";
  let server: S3Server;
  let stack: TestStack;
  beforeAll(async () => {
    folder = await createTestFolder("team-buckets");
    server = await S3Server.start(folder);
    const env = {
      ...{ AWS_ACCESS_KEY_ID: ACCESS.accessKeyId, AWS_SECRET_ACCESS_KEY: ACCESS.secretAccessKey },
      ...{ AWS_REGION: "us-east-1", AWS_CA_BUNDLE: server.caFile, SSL_CERT_FILE: server.caFile },
    };
    mkdirSync(join(folder, "data", "states"));
    const endpoint = server.url.replace("https://", "");
    stack = new TestStack("team-s3", {
      ...env,
      PULUMI_BACKEND_URL: `s3://states?endpoint=${endpoint}&s3ForcePathStyle=true&region=us-east-1`,
    });
  });
  afterAll(async () => {
    await stack?.down("--force");
    stack?.removeFiles();
    await server?.stop();
    await removeTestFolder(folder);
  });

  test("a cluster of one control plane is created, unchanged by a second run, and deleted", async () => {
    const created = await stack.up("--config", "workers.count=0");
    expect(created.code, created.text).toBe(0);
    expect((await stack.up()).text).toContain("Nothing to change");
    const { exitCode } = await run("test", ["-d", join(folder, "data", "states", ".pulumi")], { reject: false });
    expect(exitCode).toBe(0);
    const deleted = await stack.down();
    expect(deleted.code, deleted.text).toBe(0);
  });
});
