import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import type { ClusterConfig } from "../../components/config";
import { NEW_CLUSTER_SETTINGS } from "./new-cluster-settings";
import { backendFolder } from "./paths";
import { PROJECT } from "./project-folder";
import { changeStackConfig, readSections } from "./stack-config";
import { hasCluster } from "./state";

/**
 * Adds the settings of new clusters to the stack's configuration, where it does not have its own ones. They are written
 * down, not assumed: a program cannot know whether its cluster exists, and a cluster without encryption must not change
 * because of a newer version. A stack that has initialized a cluster, even if that has failed, is not new.
 * @param isMissing whether the stack is known to have no state
 */
export async function configureNewCluster(
  stack: Stack,
  config: ClusterConfig,
  { isMissing, progress }: { isMissing: boolean; progress: (line: string) => void },
): Promise<ClusterConfig> {
  if (config.bootstrap !== "kubeadm") return config;
  const settings = missingSettings(await readSections(stack));
  if (settings.length === 0 || (!isMissing && (await mayHaveCluster(stack)))) return config;
  const lines = settings.map(([path, value]) => `${path}=${value}`);
  progress(`a new cluster: ${lines.join(", ")} was added to Pulumi.${stack.name}.yaml`);
  return await changeStackConfig(stack, Object.fromEntries(settings));
}

/** Returns the settings that the configuration does not have yet. */
function missingSettings(sections: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(NEW_CLUSTER_SETTINGS).filter(([path]) => {
    const [section = "", ...keys] = path.split(".");
    const value = keys.reduce<unknown>(
      (part, key) => (part as Record<string, unknown> | undefined)?.[key],
      JSON.parse(sections[section] ?? "{}"),
    );
    return value === undefined;
  });
}

/** Reads the state file of a file backend first, which saves half a second of Pulumi in every run. */
async function mayHaveCluster(stack: Stack): Promise<boolean> {
  const root = backendFolder();
  const file = root && join(root, "stacks", PROJECT, `${stack.name}.json`);
  if (file && existsSync(file) && readFileSync(file, "utf8").includes('"kubewright:kubeadm:Init"')) return true;
  return await hasCluster(stack);
}
