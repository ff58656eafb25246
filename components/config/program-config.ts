import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { projectRoot } from "../../common/project-root";
import { type ClusterConfig, ConfigError, parseConfig } from "./index";
import { plainSecrets } from "./plain-secrets";
import { sshKnowledge } from "../machines/ssh-files";
import type { ComponentsSettings } from "../settings";

/** The project's part of a stack's configuration, by its keys without the namespace: each as Pulumi stores it. */
export type Sections = Readonly<Record<string, string>>;

/** Of all that a stack has configured, what is the project's. */
export function sectionsOf(project: string, all: Readonly<Record<string, string>>): Sections {
  const prefix = `${project}:`;
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, text]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), text]] : [])),
  );
}

/**
 * The stack's configuration (`pulumi config set --path workers.count 3`), with every default filled in. Warns of secrets in plain text.
 * @throws pulumi.RunError with all that is wrong: said as it is, without a stack trace.
 * Secrets are read as they are (Config.get would warn of each): what may hold one is made a secret again where it enters a resource.
 */
export function readConfig(): ClusterConfig {
  const { name } = new pulumi.Config();
  const sections = sectionsOf(name, pulumi.runtime.allConfig());
  const config = configOf(sections);
  const open = Object.fromEntries(
    Object.entries(sections).filter(([section]) => !secretKeys().includes(`${name}:${section}`)),
  );
  for (const warning of plainSecrets(valuesOf(open))) void pulumi.log.warn(warning);
  return config;
}

/** The keys whose values are secrets: the engine tells them to a program in its environment, and the SDK keeps its function for it to itself. */
function secretKeys(): string[] {
  return JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
}

/** The same from anywhere. */
export function configOf(sections: Sections): ClusterConfig {
  const ssh = sshKnowledge();
  try {
    return parseConfig(valuesOf(sections), {
      kubernetesVersions: supportedVersions(),
      fileExists: ssh.fileExists,
      ssh,
    });
  } catch (error) {
    throw error instanceof ConfigError ? new pulumi.RunError(error.message) : error;
  }
}

/** How the configuration wants the cluster built, where not by kubeadm. */
export function componentsOf({ rung, controlPlane, auth, admission }: ClusterConfig): ComponentsSettings {
  return {
    ...(rung ? { rung } : {}),
    runAs: controlPlane.runAs,
    staticTokens: auth.staticTokens,
    disableAdmission: admission.disable,
  };
}

function valuesOf(sections: Sections): Record<string, unknown> {
  return Object.fromEntries(Object.entries(sections).map(([section, text]) => [section, valueOf(text)]));
}

/** A section is an object; `source` is a plain word, which is not JSON. */
function valueOf(text: string): unknown {
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
