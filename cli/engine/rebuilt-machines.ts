import type { Stack } from "@pulumi/pulumi/automation";
import { withTrialConfig } from "./trial-config";

/**
 * Runs the engine with a configuration that names, for this run only, machines that are being replaced: the provider
 * then removes nothing from them. They are named by machine-id, which their replacements do not share.
 */
export async function withRebuilt<T>(
  stack: Stack,
  instances: readonly string[],
  run: (options: { configFile?: string }) => Promise<T>,
): Promise<T> {
  const values = [...new Set(instances)].map((instance, index) => [`recovery.rebuilt[${index}]`, instance] as const);
  return await withTrialConfig(stack, Object.fromEntries(values), run);
}
