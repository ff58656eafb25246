import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { projectRoot } from "../common/project-root";
import { type ClusterConfig, ConfigError, parseConfig } from "./config";

const SECTIONS = ["source", "kubernetes", "runtime", "network", "machines", "controlPlane", "workers", "pools", "drain", "timeouts", "extras"] as const;

/**
 * The stack's configuration (`pulumi config set --path workers.count 3`), with every default filled in.
 * @throws pulumi.RunError with all that is wrong: said as it is, without a stack trace.
 */
export function readConfig(): ClusterConfig {
  const config = new pulumi.Config();
  return configOf((section) => config.get(section));
}

/** The same from anywhere: `text` gives a section as Pulumi stores it. */
export function configOf(text: (section: string) => string | undefined): ClusterConfig {
  const given = SECTIONS.map((section) => [section, valueOf(text(section))] as const);
  const raw = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const fileExists = (path: string) => existsSync(path.replace(/^~(?=\/)/, homedir()));
  try {
    return parseConfig(raw, { kubernetesVersions: supportedVersions(), fileExists });
  } catch (error) {
    throw error instanceof ConfigError ? new pulumi.RunError(error.message) : error;
  }
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
