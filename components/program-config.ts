import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { projectRoot } from "../common/project-root";
import { type ClusterConfig, ConfigError, parseConfig } from "./config";
import { plainSecrets } from "./config/plain-secrets";
import { sshKnowledge } from "./machines/ssh-files";
import type { ComponentsSettings } from "./settings";

const SECTIONS = ["source", "kubernetes", "runtime", "bootstrap", "rung", "auth", "admission", "network", "machines", "controlPlane", "workers", "pools", "drain", "timeouts", "extras"] as const;

/**
 * The stack's configuration (`pulumi config set --path workers.count 3`), with every default filled in. Warns of secrets in plain text.
 * @throws pulumi.RunError with all that is wrong: said as it is, without a stack trace.
 * Secrets are read as they are (Config.get would warn of each): what may hold one is made a secret again where it enters a resource.
 */
export function readConfig(): ClusterConfig {
  const { name } = new pulumi.Config();
  const text = (section: string) => pulumi.runtime.getConfig(`${name}:${section}`);
  const config = configOf(text);
  const open = SECTIONS.filter((section) => !secretKeys().includes(`${name}:${section}`));
  for (const warning of plainSecrets(Object.fromEntries(open.map((section) => [section, valueOf(text(section))])))) void pulumi.log.warn(warning);
  return config;
}

/** The keys whose values are secrets: the engine tells them to a program in its environment, and the SDK keeps its function for it to itself. */
function secretKeys(): string[] {
  return JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
}

/** The same from anywhere: `text` gives a section as Pulumi stores it. */
export function configOf(text: (section: string) => string | undefined): ClusterConfig {
  const given = SECTIONS.map((section) => [section, valueOf(text(section))] as const);
  const raw = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const ssh = sshKnowledge();
  try {
    return parseConfig(raw, { kubernetesVersions: supportedVersions(), fileExists: ssh.fileExists, ssh });
  } catch (error) {
    throw error instanceof ConfigError ? new pulumi.RunError(error.message) : error;
  }
}

/** How the configuration wants the cluster built, where not by kubeadm. */
export function componentsOf({ rung, controlPlane, auth, admission }: ClusterConfig): ComponentsSettings {
  return { ...(rung ? { rung } : {}), runAs: controlPlane.runAs, staticTokens: auth.staticTokens, disableAdmission: admission.disable };
}

/** A section is an object; `source` is a plain word, which is not JSON. */
function valueOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function supportedVersions(): string[] {
  const versions = parse(readFileSync(join(projectRoot(), "versions.yaml"), "utf8")) as { kubernetes: { supported: Record<string, unknown> } };
  return Object.keys(versions.kubernetes.supported);
}
