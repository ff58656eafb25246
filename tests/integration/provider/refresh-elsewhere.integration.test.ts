import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { obtainEngine } from "../../../artifacts/engine";
import { run } from "../../../common/process";
import { silent } from "../../../common/progress";
import { projectRoot } from "../../../common/project-root";
import { NOT_READ } from "../../../provider/preview/notices";
import { startSshd, type Sshd } from "../../support/sshd";

/** A project whose stack has a key, a machine and a kubeconfig, and the real engine. */
const folder = mkdtempSync(join(tmpdir(), "kubewright-elsewhere-"));
const stateFile = join(folder, ".pulumi", "stacks", "elsewhere", "dev.json");
const FILES = ".kubewright/dev";
let sshd: Sshd;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  sshd = await startSshd();
  const engine = await obtainEngine(silent, new AbortController().signal);
  env = {
    ...engine.environment,
    PATH: [engine.binDir, process.env.PATH].join(delimiter),
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "elsewhere",
  };
  writeProject();
  expect((await pulumi("stack", "init", "dev")).exitCode).toBe(0);
  const created = await pulumi("up", "--yes", "--skip-preview");
  expect(created.exitCode, created.text).toBe(0);
  addKubeconfig();
});
afterAll(async () => {
  await sshd?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes a program with a key and a machine that accepts it. */
function writeProject(): void {
  mkdirSync(join(folder, "node_modules", "@pulumi"), { recursive: true });
  const sdk = join("node_modules", "@pulumi", "pulumi");
  symlinkSync(join(projectRoot(), sdk), join(folder, sdk));
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    "name: elsewhere\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.js\n" +
      `plugins: { providers: [{ name: kubewright, path: ${join(projectRoot(), "bin")} }] }\n`,
  );
  mkdirSync(join(folder, FILES), { recursive: true });
  cpSync(sshd.privateKeyPath, join(folder, FILES, "id"));
  const key = { path: `${FILES}/id`, comment: "" };
  const connection = { ...sshd.connection(), privateKeyPath: key.path };
  writeFileSync(
    join(folder, "index.js"),
    'const { CustomResource } = require("@pulumi/pulumi");\n' +
      `const key = new CustomResource("kubewright:local:SshKey", "key", ${JSON.stringify(key)});\n` +
      `new CustomResource("kubewright:host:Host", "boss", ${JSON.stringify({ connection })}, { dependsOn: [key] });\n`,
  );
}

async function pulumi(...args: string[]): Promise<{ exitCode: number | undefined; text: string }> {
  const options = { cwd: folder, env, all: true, reject: false, stdin: "ignore" } as const;
  const { all, exitCode } = await run("pulumi", [...args, "--color", "never"], options);
  return { exitCode, text: String(all) };
}

interface Checkpoint {
  checkpoint: { latest: { resources: { type: string; urn: string; provider?: string }[] } };
}

/** Adds the kubeconfig of a cluster to the state: creating it would need the cluster. */
function addKubeconfig(): void {
  const state = JSON.parse(readFileSync(stateFile, "utf8")) as Checkpoint;
  const { resources } = state.checkpoint.latest;
  const host = resources.find(({ type }) => type === "kubewright:host:Host");
  const path = `${FILES}/kubeconfig`;
  const controlPlanes = [{ ...sshd.connection(), privateKeyPath: `${FILES}/id` }];
  const inputs = { path, controlPlanes, caCertHash: `sha256:${"a".repeat(64)}` };
  const type = "kubewright:local:Kubeconfig";
  const urn = `urn:pulumi:dev::elsewhere::${type}::kubeconfig`;
  const outputs = { ...inputs, sha256: "a", created: true };
  const { provider } = host ?? {};
  resources.push(Object.assign({ type, urn, custom: true, id: path, inputs, outputs }, provider && { provider }));
  writeFileSync(stateFile, JSON.stringify(state));
}

test("a refresh as the first command on a computer reads the machine, and finds no change", async () => {
  rmSync(join(folder, ".kubewright"), { recursive: true });
  const before = await sshd.logins();
  const { exitCode, text } = await pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
  expect(exitCode, text).toBe(0);
  expect(text).not.toContain(NOT_READ);
  expect(await sshd.logins()).toBeGreaterThan(before);
  expect(existsSync(join(folder, FILES, "id"))).toBe(true);
  expect(existsSync(join(folder, FILES, "kubeconfig"))).toBe(false);
});

test("a destroy as the first command on a computer succeeds", async () => {
  rmSync(join(folder, ".kubewright"), { recursive: true });
  const { exitCode, text } = await pulumi("destroy", "--yes", "--skip-preview");
  expect(exitCode, text).toBe(0);
});
