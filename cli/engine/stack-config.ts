import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Stack } from "@pulumi/pulumi/automation";
import { madeNames, poolsOf, type ClusterConfig, type Pool } from "../../components/config";
import { configOf, sectionsOf, type Sections } from "../../components/program/program-config";
import { StepError } from "../../common/errors";
import { stackConfigFile } from "./paths";
import { PROJECT } from "./project-folder";

/** Configuration values by path, such as `workers.count`. What is undefined is removed, before the others are set. */
export type ConfigChange = Readonly<Record<string, string | number | boolean | undefined>>;

/** Reads the stack's configuration as the program does. @throws ConfigError */
export async function readStackConfig(stack: Stack): Promise<ClusterConfig> {
  return configOf(await readSections(stack));
}

/**
 * Changes the stack's configuration. Restores the previous file where the change fails or is invalid: otherwise every
 * later run would fail too.
 * @throws ConfigError
 */
export async function changeStackConfig(stack: Stack, change: ConfigChange): Promise<ClusterConfig> {
  const restore = recordStackConfig(stack.name);
  const removed = Object.keys(change).filter((path) => change[path] === undefined);
  const set = Object.entries(change).filter(([, value]) => value !== undefined);
  const values = Object.fromEntries(set.map(([path, value]) => [path, { value: String(value) }]));
  try {
    for (const path of removed) await stack.removeConfig(path, true);
    if (set.length > 0) await stack.setAllConfig(values, true);
    return await readStackConfig(stack);
  } catch (error) {
    restore();
    throw error;
  }
}

/** Reads the stack's configuration file. @returns a function that restores it */
export function recordStackConfig(stack: string): () => void {
  const file = stackConfigFile(stack);
  const before = existsSync(file) ? readFileSync(file) : undefined;
  return () => {
    if (before === undefined) rmSync(file, { force: true });
    else writeFileSync(file, before);
  };
}

/** Reads the project's part of the stack's configuration as it is written, without defaults. */
export async function readSections(stack: Stack): Promise<Sections> {
  const all = Object.entries(await stack.getAllConfig());
  return sectionsOf(PROJECT, Object.fromEntries(all.map(([key, { value }]) => [key, value])));
}

/** Returns the pool of that name. @throws StepError with the names of all pools */
export function poolNamed(config: ClusterConfig, name: string): Pool {
  const pools = poolsOf(config);
  const pool = pools.find((one) => one.name === name);
  if (pool) return pool;
  throw new StepError({
    step: "reading the configuration",
    cause: `there is no pool named ${name}`,
    action: `use ${pools.map((one) => one.name).join(" or ")}, or add it to \`pools\``,
  });
}

/**
 * Returns the pool that a machine is created for; undefined for control planes and for machines that the user provides.
 */
export function poolOfCreated(config: ClusterConfig, machine: string): Pool | undefined {
  return poolsOf(config).find((pool) => madeNames(config, pool).includes(machine));
}
