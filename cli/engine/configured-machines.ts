import type { Stack } from "@pulumi/pulumi/automation";
import { rollingUpdateOf } from "../../components/program/assign-machines";
import { reaches } from "../../render/rung";
import { readStackConfig } from "./stack-config";

/** The machines of a configuration. */
export interface ConfiguredMachines {
  names: readonly string[];
  controlPlanes: readonly string[];
  /** Whether each machine becomes a node; false on the ladder's rungs without an API server. */
  hasNodes: boolean;
}

/** Returns the machines of a stack's configuration: none where the configuration itself is invalid. */
export async function configuredMachines(stack: Stack): Promise<ConfiguredMachines> {
  const config = await readStackConfig(stack).catch(() => undefined);
  if (config === undefined) return { names: [], controlPlanes: [], hasNodes: true };
  const { others = [], pools } = rollingUpdateOf(config);
  return {
    names: [...others, ...pools.flatMap(({ names }) => names)],
    controlPlanes: others,
    hasNodes: config.bootstrap === "kubeadm" || reaches(config.rung ?? "dns", "apiserver"),
  };
}
