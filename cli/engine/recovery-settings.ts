import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Stack } from "@pulumi/pulumi/automation";
import { parse } from "yaml";
import { z } from "zod";
import { parseJson } from "../../common/json";
import { editState } from "./edit-state";
import { backendFolder, stackConfigFile } from "./paths";

interface ProviderState {
  type: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/**
 * Records the section `recovery` of the configuration as settings of the provider, in the state. The engine refreshes
 * and destroys with the settings that the last update of the resources recorded: a host key that was accepted since
 * then, or a machine that was abandoned, would have no effect.
 */
export async function recordRecoverySettings(
  stack: Stack,
  project: string,
  recovery: unknown = configuredRecovery(stack.name, project),
): Promise<void> {
  if (recovery === undefined && !mayHaveSettings(stack.name, project)) return;
  const isOutdated = ({ type, inputs }: ProviderState) =>
    type === `pulumi:providers:${project}` && !isDeepStrictEqual(parsed(inputs?.recovery), recovery);
  await editState<{ resources?: ProviderState[] }>(stack, (state) => {
    const { resources = [] } = state;
    if (!resources.some(isOutdated)) return undefined;
    return { ...state, resources: resources.map((one) => (isOutdated(one) ? withRecovery(one, recovery) : one)) };
  });
}

/** The engine passes sections of the configuration to the provider as JSON text. */
function withRecovery({ inputs, outputs, ...state }: ProviderState, recovery: unknown): ProviderState {
  const change = (values: Record<string, unknown> = {}) => {
    const { recovery: _, ...others } = values;
    return recovery === undefined ? others : { ...others, recovery: JSON.stringify(recovery) };
  };
  return { ...state, inputs: change(inputs), outputs: change(outputs) };
}

function parsed(value: unknown): unknown {
  return typeof value === "string" ? parseJson(value) : value;
}

/** Returns the machines that the configuration names as lost. */
export function abandonedMachines(stack: string, project: string): string[] {
  const settings = z.object({ abandoned: z.array(z.string()) }).safeParse(configuredRecovery(stack, project));
  return settings.data?.abandoned ?? [];
}

function configuredRecovery(stack: string, project: string): unknown {
  const file = stackConfigFile(stack);
  if (!existsSync(file)) return undefined;
  const { config } = (parse(readFileSync(file, "utf8")) ?? {}) as { config?: Record<string, unknown> };
  return config?.[`${project}:recovery`] ?? undefined;
}

/** Reads the state file of a file backend, which saves half a second of Pulumi in every run. */
function mayHaveSettings(stack: string, project: string): boolean {
  const root = backendFolder();
  if (!root) return true;
  const file = join(root, "stacks", project, `${stack}.json`);
  return existsSync(file) && readFileSync(file, "utf8").includes('"recovery"');
}
