import type { Stack } from "@pulumi/pulumi/automation";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { writeArchive } from "../../../../cli/support/archive";
import { collectSupport } from "../../../../cli/support/collect";
import type { Session } from "../../../../cli/engine/session";
import { expectNoSecrets } from "../../../support/secret-search";
import { CLUSTER, fakeApi, fakeSession, fakeStack, type FakeResource } from "../fake-stack";

const KEY_BODY = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQ";
const PEM = `-----BEGIN OPENSSH PRIVATE KEY-----\n${KEY_BODY}\n-----END OPENSSH PRIVATE KEY-----\n`;
const CLIENT_KEY_BODY = "MHcCAQEEIHk2Y3JldCBrZXkgb2YgdGhlIGFkbWluaXN0cmF0b3IK";
const CLIENT_KEY = Buffer.from(`-----BEGIN EC PRIVATE KEY-----\n${CLIENT_KEY_BODY}\n-----END EC PRIVATE KEY-----\n`);
/** Everything that must not be in the archive. */
const PLANTED = {
  passphrase: "planted-passphrase-1",
  stateSecret: "planted-state-secret-2",
  plainPassword: "planted-plain-3",
  encryptedPassword: "planted-encrypted-4",
  environment: "planted-environment-5",
  privateKey: KEY_BODY,
  clientKey: CLIENT_KEY_BODY,
  clientKeyData: CLIENT_KEY.toString("base64"),
  bootstrapToken: "abcdef.0123456789abcdef",
  salt: "v1:c2FsdA==:v1:planted-salt",
};
const SECRETS = Object.values(PLANTED);

const marked = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});

let folder: string;
/** What the nodes print: logs can repeat any secret. */
let logs: string;

vi.mock("../../../../cli/nodes/certificate-status", async (original) => ({
  ...(await original<object>()),
  readCertificateReport: async () => ({ certificates: [], problems: [], warnings: [] }),
}));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-support-"));
  vi.stubEnv("KUBEWRIGHT_PROJECT", folder);
  vi.stubEnv("HCLOUD_TOKEN", PLANTED.environment);
  const stackFolder = join(folder, ".kubewright", "dev");
  mkdirSync(stackFolder, { recursive: true });
  writeFileSync(join(folder, ".kubewright", "passphrase"), `${PLANTED.passphrase}\n`);
  writeFileSync(join(stackFolder, "id_ed25519"), PEM);
  writeFileSync(
    join(stackFolder, "kubeconfig"),
    `apiVersion: v1\nusers:\n- user:\n    client-key-data: ${PLANTED.clientKeyData}\n`,
  );
  writeFileSync(
    join(folder, "Pulumi.dev.yaml"),
    `encryptionsalt: ${PLANTED.salt}\nconfig:\n  kubewright:machines:\n    password: ${PLANTED.plainPassword}\n` +
      "  kubewright:workers:\n    count: 2\n  kubewright:backup:\n    secure: v1:abc:def\n",
  );
  logs = `kubelet started\n${SECRETS.map((secret) => `leaked ${secret} and ${JSON.stringify(secret)}`).join("\n")}\n`;
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const JOIN: FakeResource = {
  type: "kubewright:kubelet:Join",
  name: "worker-1-kubelet-join",
  inputs: { key: marked(PLANTED.stateSecret), connection: { name: "worker-1", sudoPassword: PLANTED.plainPassword } },
  outputs: { note: PLANTED.stateSecret },
};

function stackWith(...more: readonly FakeResource[]): Stack {
  const getAllConfig = async () => ({
    "kubewright:machines": { value: JSON.stringify({ password: PLANTED.plainPassword }), secret: false },
    "kubewright:backup": { value: JSON.stringify({ password: PLANTED.encryptedPassword }), secret: true },
  });
  return fakeStack([...CLUSTER, ...more], { getAllConfig, workspace: { workDir: folder, pulumiVersion: "3.255.0" } });
}

/** A session whose machines print the logs; those in `silent` do not answer. */
function sessionWith(...silent: readonly string[]): Session {
  const message = `pulled with ${PLANTED.environment}`;
  const event = { reason: "Pulled", message, involvedObject: { kind: "Pod", name: "web" }, metadata: {} };
  const api = fakeApi({ name: "worker-1" });
  Object.assign(api.core, { listEventForAllNamespaces: async () => ({ items: [event] }) });
  const session = fakeSession(async () => api);
  const get = (connection: { name: string }) => ({
    connection,
    label: connection.name,
    run: async (_script: string, { stdout }: { stdout?: () => NodeJS.WritableStream }) => {
      if (silent.includes(connection.name)) throw new Error(`${connection.name} does not respond`);
      stdout?.().end(logs);
      return { stdout: "", stderr: "" };
    },
  });
  Object.assign(session.provider.connections, { get });
  return session;
}

async function archiveOf(files: ReadonlyMap<string, string>): Promise<{ path: string; texts: string[] }> {
  const path = join(folder, "support.tar.gz");
  await writeArchive(path, "kubewright-support-dev", files);
  const names = execFileSync("tar", ["tzf", path], { encoding: "utf8" }).trim().split("\n");
  const text = execFileSync("tar", ["xzOf", path], { encoding: "utf8" });
  expect(names).toContain("kubewright-support-dev/state.json");
  return { path, texts: [text] };
}

test("no planted secret is in the archive, which only the user can read", async () => {
  const { path, texts } = await archiveOf(await collectSupport(stackWith(JOIN), sessionWith()));
  expectNoSecrets("the archive", texts, SECRETS);
  expect(texts[0]).toContain("kubelet started");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("keeps what a bug report needs", async () => {
  const files = await collectSupport(stackWith(JOIN), sessionWith());
  expect([...files.keys()].sort()).toEqual([
    ...["README.txt", "config.yaml", "events.txt", "last-run.json"],
    ...["control-plane-1", "worker-1"].flatMap((name) => [`nodes/${name}/facts.txt`, `nodes/${name}/logs.txt`]),
    ...["not-read.txt", "state.json", "status.json", "versions.json"],
  ]);
  expect(files.get("config.yaml")).toContain("count: 2");
  expect(files.get("state.json")).toContain("kubewright:kubelet:Join::worker-1-kubelet-join");
  expect(files.get("state.json")).not.toContain("outputs");
  expect(files.get("versions.json")).toContain('"pulumi": "3.255.0"');
  expect(files.get("events.txt")).toMatch(/Pulled Pod\/web: pulled with \[removed\]/);
  expect(files.get("not-read.txt")).toBe("everything was read\n");
});

test("a node that does not answer is noted, and the others are read", async () => {
  const files = await collectSupport(stackWith(), sessionWith("worker-1"));
  expect(files.get("not-read.txt")).toBe("worker-1: worker-1 does not respond\n");
  expect(files.has("nodes/control-plane-1/logs.txt")).toBe(true);
  expect(files.has("nodes/worker-1/logs.txt")).toBe(false);
});

test("does not overwrite a file, and keeps it", async () => {
  const path = join(folder, "existing.tar.gz");
  writeFileSync(path, "mine");
  await expect(writeArchive(path, "x", new Map([["a.txt", "a"]]))).rejects.toThrow(/EEXIST/);
  expect(statSync(path).size).toBe(4);
});
