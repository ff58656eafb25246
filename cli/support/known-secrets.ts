import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ConfigMap } from "@pulumi/pulumi/automation";
import { parse } from "yaml";
import { parseJson } from "../../common/json";
import { localPath } from "../../common/portable-path";
import { passphraseFile, stackConfigFile, stackFolder } from "../engine/paths";
import { isObject } from "../../provider/rpc/values";
import { markedSecrets, withoutSecretMarks } from "../engine/secrets";
import type { StateResource } from "../engine/state";
import { Redactor, textsIn } from "./redactor";

/** A text in a section that is encrypted as a whole need not be a secret; short ones are in every log. */
const SHORTEST_IN_SECTION = 16;
const LARGEST_KEY = 100_000;
const SECRET_VARIABLE = /(TOKEN|PASSWORD|SECRET|PASSPHRASE|ACCESS_KEY|API_KEY)/;

/** What secrets are collected from. */
export interface SecretSources {
  stack: string;
  resources: readonly StateResource[];
  config: ConfigMap;
  env: NodeJS.ProcessEnv;
}

/** Returns a redactor that knows the secrets of a stack, of its files on this computer, and of the environment. */
export function redactorFor({ stack, resources, config, env }: SecretSources): Redactor {
  const redactor = new Redactor(markedSecrets(resources).flatMap(textsIn));
  redactor.addNamed(withoutSecretMarks(resources));
  const settings = stackConfigFile(stack);
  if (existsSync(settings)) redactor.addNamed(parse(readFileSync(settings, "utf8")));
  for (const { value, secret } of Object.values(config)) addConfigValue(redactor, value, secret === true);
  for (const [name, value = ""] of Object.entries(env))
    if (SECRET_VARIABLE.test(name) && !name.endsWith("_FILE")) redactor.add(value);
  for (const file of secretFiles(stack, resources, env)) addFile(redactor, file);
  return redactor;
}

function addConfigValue(redactor: Redactor, text: string, isSecret: boolean): void {
  const value = parseJson(text) ?? text;
  redactor.addNamed(value);
  if (!isSecret) return;
  if (typeof value === "string") redactor.add(value);
  else textsIn(value).forEach((one) => one.length >= SHORTEST_IN_SECTION && redactor.add(one));
}

/** The passphrase, the kubeconfigs, and all private keys that are used for connections. */
function secretFiles(stack: string, resources: readonly StateResource[], env: NodeJS.ProcessEnv): string[] {
  const keys = resources.flatMap(({ inputs }) => pathsIn(inputs, "privateKeyPath"));
  const kubeconfigs = resources
    .filter(({ type }) => type === "kubewright:local:Kubeconfig")
    .flatMap(({ inputs }) => pathsIn(inputs, "path"));
  const folder = stackFolder(stack);
  return [
    passphraseFile(),
    ...(env.PULUMI_CONFIG_PASSPHRASE_FILE ? [env.PULUMI_CONFIG_PASSPHRASE_FILE] : []),
    ...[join(folder, "id_ed25519"), join(folder, "kubeconfig")],
    ...new Set([...keys, ...kubeconfigs]),
  ].map((path) => localPath(path));
}

function pathsIn(value: unknown, name: string): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => pathsIn(one, name));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === name && typeof inner === "string" ? [inner] : pathsIn(inner, name),
  );
}

function addFile(redactor: Redactor, path: string): void {
  const stats = existsSync(path) ? statSync(path) : undefined;
  if (!stats?.isFile() || stats.size > LARGEST_KEY) return;
  const text = readFileSync(path, "utf8");
  if (/^(apiVersion|kind):/m.test(text)) addKubeconfig(redactor, text);
  else redactor.add(text);
}

/** A kubeconfig has public parts, such as addresses. Its keys are in base64. */
function addKubeconfig(redactor: Redactor, text: string): void {
  const kubeconfig: unknown = parse(text);
  redactor.addNamed(kubeconfig);
  for (const [, key = ""] of text.matchAll(/client-key-data:\s*(\S+)/g))
    redactor.add(Buffer.from(key, "base64").toString());
}
