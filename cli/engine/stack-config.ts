import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Stack } from "@pulumi/pulumi/automation";
import { type ClusterConfig, type Pool, madeNames, poolsOf } from "../../components/config";
import { type Sections, configOf, sectionsOf } from "../../components/config/program-config";
import { StepError } from "../../common/errors";
import { stackConfigFile } from "./paths";
import { PROJECT } from "./workspace";

export type Change = Readonly<Record<string, string | number | boolean>>;

/** The stack's configuration as the program reads it. @throws ConfigError */
export async function readStackConfig(stack: Stack): Promise<ClusterConfig> {
  return configOf(await sectionsIn(stack));
}

/**
 * Writes properties by their paths, such as `workers.count`, and takes them back where the program refuses them: else every next run would
 * fail for them too.
 * @throws ConfigError
 */
export async function changeStackConfig(stack: Stack, change: Change): Promise<ClusterConfig> {
  const file = stackConfigFile(stack.name);
  const before = existsSync(file) ? readFileSync(file) : undefined;
  const all = Object.fromEntries(Object.entries(change).map(([path, value]) => [path, { value: String(value) }]));
  if (Object.keys(all).length > 0) await stack.setAllConfig(all, true);
  try {
    return await readStackConfig(stack);
  } catch (error) {
    if (before === undefined) rmSync(file, { force: true });
    else writeFileSync(file, before);
    throw error;
  }
}

async function sectionsIn(stack: Stack): Promise<Sections> {
  const all = Object.entries(await stack.getAllConfig());
  return sectionsOf(PROJECT, Object.fromEntries(all.map(([key, { value }]) => [key, value])));
}

/** @throws StepError with the names that there are. */
export function poolNamed(config: ClusterConfig, name: string): Pool {
  const pools = poolsOf(config);
  const found = pools.find((pool) => pool.name === name);
  if (found) return found;
  throw new StepError({
    step: "looking for the pool",
    cause: `the configuration has no pool "${name}"`,
    action: `use ${pools.map((pool) => pool.name).join(" or ")}, or add it under pools`,
  });
}

/** The pool that a machine is made for; undefined where it is a person's own, or a control plane. */
export function poolThatMakes(config: ClusterConfig, machine: string): Pool | undefined {
  return poolsOf(config).find((pool) => madeNames(config, pool).includes(machine));
}
