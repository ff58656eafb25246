import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { run } from "../../common/process";
import { hiddenFolder, stackConfigFile } from "./paths";

/** Runs `work` with a temporary copy of the stack's configuration file that has additional values. */
export async function withTrialConfig<T>(
  stack: Stack,
  config: Readonly<Record<string, string>>,
  work: (options: { configFile?: string }) => Promise<T>,
): Promise<T> {
  const values = Object.entries(config).map(([key, value]) => `${key}=${value}`);
  if (values.length === 0) return await work({});
  const folder = mkdtempSync(join(hiddenFolder(), "trial-"));
  try {
    const configFile = join(folder, "Pulumi.yaml");
    const original = stackConfigFile(stack.name);
    if (existsSync(original)) copyFileSync(original, configFile);
    else writeFileSync(configFile, "");
    // The Automation API cannot set values in another file. `prepareEngine` has set the environment.
    const pairs = values.flatMap((value) => ["--plaintext", value]);
    await run("pulumi", ["config", "set-all", "--path", ...pairs, "--stack", stack.name, "--config-file", configFile], {
      cwd: stack.workspace.workDir,
    });
    return await work({ configFile });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
