import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { writeMissingKeys } from "../../../../cli/engine/missing-keys";
import { newKeyPair } from "../../../../provider/ssh/key-pair";
import { fakeStack } from "../fake-stack";

const pair = newKeyPair("kubewright dev");
const secret = (value: string) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});
const PATH = ".kubewright/dev/id_ed25519";
const TYPE = "kubewright:local:SshKey";
const PRIVATE = { privateKey: secret(pair.private) };

let project: string;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "kubewright-missing-keys-"));
  vi.stubEnv("KUBEWRIGHT_PROJECT", project);
  vi.stubEnv("PULUMI_BACKEND_URL", "postgres://db.example.com/pulumi");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(project, { recursive: true });
});

function stackWith(outputs: object) {
  const inputs = { path: PATH, comment: "kubewright dev" };
  const stack = fakeStack([
    { type: TYPE, name: "dev-ssh-key", inputs, outputs: { publicKey: pair.public, ...outputs } },
  ]);
  return { stack, exported: vi.spyOn(stack, "exportStack") };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

test("a key that is not on this computer is written from the state", async () => {
  await writeMissingKeys(stackWith(PRIVATE).stack);
  expect(readFileSync(join(project, PATH), "utf8")).toBe(pair.private);
  expect(readFileSync(join(project, `${PATH}.pub`), "utf8").trim()).toBe(pair.public.trim());
  expect(statSync(join(project, PATH)).mode & 0o777).toBe(0o600);
});

test("a key that is here stays, and the state is not read", async () => {
  write(PATH, "another key");
  const { stack, exported } = stackWith(PRIVATE);
  await writeMissingKeys(stack);
  expect(readFileSync(join(project, PATH), "utf8")).toBe("another key");
  expect(exported).not.toHaveBeenCalled();
});

test("a state of version 1 has no private key to write", async () => {
  await writeMissingKeys(stackWith({}).stack);
  expect(() => statSync(join(project, PATH))).toThrow("ENOENT");
});

test.each([
  [`{"type":"${TYPE}"}`, 1],
  ["{}", 0],
])("of a state in files, %s is exported %i times", async (state, times) => {
  vi.stubEnv("PULUMI_BACKEND_URL", `file://${project}`);
  write(".pulumi/stacks/kubewright/dev.json", state);
  const { stack, exported } = stackWith(PRIVATE);
  await writeMissingKeys(stack);
  expect(exported).toHaveBeenCalledTimes(times);
});
