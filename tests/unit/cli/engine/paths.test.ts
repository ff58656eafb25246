import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  backendFolder,
  backendUrl,
  passphraseEnvironment,
  passphraseFile,
  removeSecretsProvider,
} from "../../../../cli/engine/paths";
import { withTrialConfig } from "../../../../cli/engine/trial-config";
import { isKnownMissing } from "../../../../cli/engine/workspace";

let root: string;
const run = vi.hoisted(() => vi.fn<(file: string, args: string[]) => Promise<unknown>>());
vi.mock("../../../../common/project-root", () => ({ projectRoot: () => root }));
vi.mock("../../../../common/process", () => ({ run }));
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kubewright-paths-"));
  mkdirSync(join(root, ".kubewright"));
  for (const name of ["PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
    vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

test("the state is in the project unless PULUMI_BACKEND_URL names another place", () => {
  expect(backendUrl()).toBe(`file://${join(root, ".kubewright", "state")}`);
  expect(backendFolder()).toBe(join(root, ".kubewright", "state", ".pulumi"));
  vi.stubEnv("PULUMI_BACKEND_URL", "file://~/pulumi?x=y");
  expect(backendFolder()).toBe(join(process.env.HOME ?? "", "pulumi", ".pulumi"));
  vi.stubEnv("PULUMI_BACKEND_URL", "https://api.pulumi.com");
  expect(backendFolder()).toBeUndefined();
});

test("a missing stack is known without the engine only where the state is in a folder", () => {
  expect(isKnownMissing("dev")).toBe(true);
  const folder = join(root, ".kubewright", "state", ".pulumi", "stacks", "kubewright");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "dev.json"), "{}");
  expect(isKnownMissing("dev")).toBe(false);
  vi.stubEnv("PULUMI_BACKEND_URL", "https://api.pulumi.com");
  expect(isKnownMissing("lab")).toBe(false);
});

test("a passphrase is created once, readable by its owner alone", () => {
  const file = passphraseFile();
  expect(passphraseEnvironment()).toEqual({ PULUMI_CONFIG_PASSPHRASE_FILE: file });
  const passphrase = readFileSync(file, "utf8");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  passphraseEnvironment();
  expect(readFileSync(file, "utf8")).toBe(passphrase);
});

test("a passphrase of the user is kept", () => {
  vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "mine");
  expect(passphraseEnvironment()).toEqual({});
});

test("the passphrase is deleted with the last configuration that needs it, and configured values are kept", () => {
  passphraseEnvironment();
  const config = (stack: string) => join(root, `Pulumi.${stack}.yaml`);
  writeFileSync(config("dev"), "encryptionsalt: v1:x\nconfig: {}\n");
  writeFileSync(config("lab"), "encryptionsalt: v1:y\nconfig:\n  kubewright:workers: {count: 3}\n");
  removeSecretsProvider("dev");
  expect([existsSync(config("dev")), existsSync(passphraseFile())]).toEqual([false, true]);
  removeSecretsProvider("lab");
  expect([existsSync(config("lab")), existsSync(passphraseFile())]).toEqual([true, true]);
  rmSync(config("lab"));
  removeSecretsProvider("lab");
  expect(existsSync(passphraseFile())).toBe(false);
});

test("a configuration that has only what every new cluster gets is deleted", () => {
  const file = join(root, "Pulumi.dev.yaml");
  const settings = "encryptionsalt: v1:x\nconfig:\n  kubewright:security:\n    encryption:\n      provider: ";
  writeFileSync(file, `${settings}aesgcm\n`);
  removeSecretsProvider("dev");
  expect(existsSync(file)).toBe(true);
  // Older versions added fewer settings.
  const serving = "    kubeletServingCertificates: cluster\n";
  for (const more of ["", serving, `${serving}    certificateKeys: ECDSA-P256\n`]) {
    writeFileSync(file, `${settings}secretbox\n${more}`);
    removeSecretsProvider("dev");
    expect(existsSync(file), more).toBe(false);
  }
});

test("a trial configuration is a copy, which is deleted afterwards", async () => {
  const stack = { name: "dev", workspace: { workDir: root } } as unknown as Stack;
  writeFileSync(join(root, "Pulumi.dev.yaml"), "config: {}\n");
  const seen = await withTrialConfig(stack, { "workers.count": "3" }, async ({ configFile = "" }) => {
    expect(readFileSync(configFile, "utf8")).toBe("config: {}\n");
    expect(run.mock.lastCall?.[1]).toEqual(expect.arrayContaining(["--plaintext", "workers.count=3", configFile]));
    return configFile;
  });
  expect(existsSync(seen)).toBe(false);
  expect(await withTrialConfig(stack, {}, async (options) => options)).toEqual({});
});
