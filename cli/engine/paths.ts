import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { hasNoOwnSettings } from "./new-cluster-settings";
import { projectFolder } from "./project-folder";

/** Folder for everything that runs create in the project. */
export function hiddenFolder(): string {
  return join(projectFolder(), ".kubewright");
}

/** Folder of one stack: kubeconfig and keys. */
export function stackFolder(stack: string): string {
  return join(hiddenFolder(), stack);
}

/** URL of Pulumi's state: PULUMI_BACKEND_URL, or a folder in the project. */
export function backendUrl(): string {
  return process.env.PULUMI_BACKEND_URL ?? `file://${join(hiddenFolder(), "state")}`;
}

/** Folder of a file backend; undefined for other backends. */
export function backendFolder(): string | undefined {
  const url = backendUrl();
  if (!url.startsWith("file:")) return undefined;
  const rest = url.slice("file://".length).split("?")[0] ?? "";
  const path = rest.startsWith("~")
    ? join(process.env.HOME ?? "", rest.slice(1))
    : rest.startsWith("/")
      ? fileURLToPath(`file://${rest}`)
      : rest;
  return join(path, ".pulumi");
}

export const passphraseFile = () => join(hiddenFolder(), "passphrase");

/**
 * Environment with the passphrase that encrypts secrets, where the user sets none. The file is created once: without it
 * the state is unreadable.
 */
export function passphraseEnvironment(): Record<string, string> {
  if (process.env.PULUMI_CONFIG_PASSPHRASE !== undefined || process.env.PULUMI_CONFIG_PASSPHRASE_FILE !== undefined)
    return {};
  const file = passphraseFile();
  mkdirSync(hiddenFolder(), { recursive: true });
  try {
    writeFileSync(file, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return { PULUMI_CONFIG_PASSPHRASE_FILE: file };
}

export const stackConfigFile = (stack: string) => join(projectFolder(), `Pulumi.${stack}.yaml`);

/**
 * Removes a configuration file that has only a salt and the settings of every new cluster, and the passphrase once no
 * configuration file has a salt.
 */
export function removeSecretsProvider(stack: string): void {
  const own = stackConfigFile(stack);
  if (existsSync(own) && hasNoOwnValues(readFileSync(own, "utf8"))) rmSync(own);
  const salted = (file: string) => readFileSync(join(projectFolder(), file), "utf8").includes("encryptionsalt");
  const configs = readdirSync(projectFolder()).filter((file) => /^Pulumi\..+\.yaml$/.test(file));
  if (!configs.some(salted)) rmSync(passphraseFile(), { force: true });
}

function hasNoOwnValues(text: string): boolean {
  if (text.includes("#")) return false; // Comments are the user's.
  const { encryptionsalt: _, config, ...others } = (parse(text) ?? {}) as Record<string, unknown>;
  return Object.keys(others).length === 0 && hasNoOwnSettings(config);
}
