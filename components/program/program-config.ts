import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { optional } from "../../common/optional";
import { projectRoot } from "../../common/project-root";
import { type ClusterConfig, ConfigError, parseConfig } from "../config";
import { plainSecrets } from "../config/plain-secrets";
import { readSshClientConfig } from "../machines/ssh-files";
import type { ComponentsSettings } from "../nodes/settings";

/** The project's part of a stack's configuration: values as Pulumi stores them, by their keys without the namespace. */
export type Sections = Readonly<Record<string, string>>;

/** Selects the project's keys from a stack's configuration. */
export function sectionsOf(project: string, all: Readonly<Record<string, string>>): Sections {
  const prefix = `${project}:`;
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, text]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), text]] : [])),
  );
}

/**
 * Reads the stack's configuration, with every default filled in. Warns of secrets in plain text.
 *
 * Secrets are read as plain values, because Config.get would warn of each of them. They become secrets again where
 * they enter a resource.
 * @throws pulumi.RunError with all problems. Pulumi prints it without a stack trace.
 */
export function readConfig(): ClusterConfig {
  const { name } = new pulumi.Config();
  const sections = sectionsOf(name, pulumi.runtime.allConfig());
  const config = configOf(sections);
  const secrets = secretKeys();
  if (!secrets) return config;
  const unencrypted = Object.fromEntries(
    Object.entries(sections).filter(([section]) => !secrets.includes(`${name}:${section}`)),
  );
  for (const warning of plainSecrets(parseSections(unencrypted))) void pulumi.log.warn(warning);
  return config;
}

/**
 * The keys whose values are secrets. The engine sets them in the program's environment; the SDK has no public
 * function for them. A component of a program in another language does not know them.
 */
function secretKeys(): string[] | undefined {
  const keys = process.env.PULUMI_CONFIG_SECRET_KEYS;
  return keys === undefined ? undefined : (JSON.parse(keys) as string[]);
}

/**
 * Checks a stack's configuration, with every default filled in.
 * @throws pulumi.RunError with all problems.
 */
export function configOf(sections: Sections): ClusterConfig {
  const ssh = readSshClientConfig();
  try {
    return parseConfig(parseSections(sections), {
      kubernetesVersions: supportedVersions(),
      fileExists: ssh.fileExists,
      ssh,
    });
  } catch (error) {
    throw error instanceof ConfigError ? new pulumi.RunError(error.message) : error;
  }
}

/** The settings of a cluster that is built one component at a time. */
export function componentsOf({ rung, controlPlane, auth, admission }: ClusterConfig): ComponentsSettings {
  return {
    ...optional({ rung }),
    runAs: controlPlane.runAs,
    staticTokens: auth.staticTokens,
    disableAdmission: admission.disable,
  };
}

function parseSections(sections: Sections): Record<string, unknown> {
  return Object.fromEntries(Object.entries(sections).map(([section, text]) => [section, parseValue(text)]));
}

/** Sections are JSON objects, except for plain words such as the value of `source`. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function supportedVersions(): string[] {
  const versions = parse(readFileSync(join(projectRoot(), "versions.yaml"), "utf8")) as {
    kubernetes: { supported: Record<string, unknown> };
  };
  return Object.keys(versions.kubernetes.supported);
}
