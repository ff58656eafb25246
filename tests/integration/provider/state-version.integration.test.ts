import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { obtainEngine } from "../../../artifacts/engine";
import { run } from "../../../common/process";
import { silent } from "../../../common/progress";
import { projectRoot } from "../../../common/project-root";
import { STATE_VERSION } from "../../../provider/rpc/state-version";

/** A stack with one key, and the real engine. */
const folder = mkdtempSync(join(tmpdir(), "kubewright-state-"));
const stateFile = join(folder, ".pulumi", "stacks", "versions", "dev.json");
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const engine = await obtainEngine(silent, new AbortController().signal);
  env = {
    ...engine.environment,
    PATH: [engine.binDir, process.env.PATH].join(delimiter),
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "versions",
  };
  mkdirSync(join(folder, "node_modules", "@pulumi"), { recursive: true });
  const sdk = join("node_modules", "@pulumi", "pulumi");
  symlinkSync(join(projectRoot(), sdk), join(folder, sdk));
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    "name: versions\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.js\n" +
      `plugins: { providers: [{ name: kubewright, path: ${join(projectRoot(), "bin")} }] }\n`,
  );
  const inputs = JSON.stringify({ path: join(folder, "id"), comment: "" });
  writeFileSync(
    join(folder, "index.js"),
    'const { CustomResource } = require("@pulumi/pulumi");\n' +
      `new CustomResource("kubewright:local:SshKey", "key", ${inputs});\n`,
  );
  expect((await pulumi("stack", "init", "dev")).exitCode).toBe(0);
  const created = await pulumi("up", "--yes", "--skip-preview");
  expect(created.exitCode, created.text).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function pulumi(...args: string[]): Promise<{ exitCode: number | undefined; text: string }> {
  const options = { cwd: folder, env, all: true, reject: false, stdin: "ignore" } as const;
  const { all, exitCode } = await run("pulumi", [...args, "--color", "never"], options);
  return { exitCode, text: String(all) };
}

interface Checkpoint {
  checkpoint: { latest: { resources: { type: string; inputs: { stateVersion?: string }; outputs: object }[] } };
}

const readState = () => JSON.parse(readFileSync(stateFile, "utf8")) as Checkpoint;
const providerIn = ({ checkpoint }: Checkpoint) =>
  checkpoint.latest.resources.find(({ type }) => type === "pulumi:providers:kubewright");

function setVersion(settings: { stateVersion?: string }): void {
  const state = readState();
  Object.assign(providerIn(state) ?? {}, { inputs: settings, outputs: settings });
  writeFileSync(stateFile, JSON.stringify(state));
}

test("a state without a version shows no change, and gets the version", async () => {
  setVersion({});
  const preview = await pulumi("preview", "--expect-no-changes");
  expect(preview.exitCode, preview.text).toBe(0);
  await pulumi("up", "--yes", "--skip-preview");
  expect(providerIn(readState())?.inputs).toEqual({ stateVersion: String(STATE_VERSION) });
});

test("a state of a newer version is refused by every operation", async () => {
  setVersion({ stateVersion: "99" });
  const yes = ["--yes", "--skip-preview"];
  for (const args of [["preview"], ["up", ...yes], ["refresh", ...yes], ["destroy", ...yes]]) {
    const { exitCode, text } = await pulumi(...args);
    expect(exitCode, text).not.toBe(0);
    expect(text).toContain("a newer version of Kubewright wrote the state of this stack (state version 99)");
  }
});
