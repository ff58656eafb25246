import type { Stack } from "@pulumi/pulumi/automation";
import { type ClusterConfig, type Pool, madeNames, poolsOf } from "../../components/config";
import { configOf } from "../../components/program-config";
import { StepError } from "../../common/errors";
import { PROJECT } from "./workspace";

/** The stack's configuration as the program reads it. @throws ConfigError */
export async function readStackConfig(stack: Stack): Promise<ClusterConfig> {
  const all = await stack.getAllConfig();
  return configOf((section) => all[`${PROJECT}:${section}`]?.value);
}

/** Writes properties by their paths: `workers.count`. */
export async function writeStackConfig(stack: Stack, values: Record<string, string | number>): Promise<void> {
  const config = Object.fromEntries(Object.entries(values).map(([path, value]) => [path, { value: String(value) }]));
  if (Object.keys(config).length > 0) await stack.setAllConfig(config, true);
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
