import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { sshKeyContract } from "../../contracts/local/ssh-key";
import { restoreKeyFiles } from "../../provider/resources/ssh-key";
import { backendFolder, stackFolder } from "./paths";
import { PROJECT } from "./project-folder";
import { withoutSecretMarks } from "./secrets";
import { resourcesOf } from "./state";

const outputsSchema = sshKeyContract.outputs.partial();

/**
 * Writes the private keys of the state into their files where this computer does not have them. The engine reads
 * machines in parallel with their key: on a new computer, the file must exist before a refresh or a destroy starts.
 */
export async function writeMissingKeys(stack: Stack): Promise<void> {
  if (!mayMissKeys(stack.name)) return;
  for (const resource of (await resourcesOf(stack)).filter(({ type }) => type === sshKeyContract.type)) {
    const inputs = sshKeyContract.inputs.safeParse(withoutSecretMarks(resource.inputs)).data;
    const outputs = outputsSchema.safeParse(withoutSecretMarks(resource.outputs)).data;
    if (inputs && outputs) await restoreKeyFiles(inputs, outputs);
  }
}

/** Reads the state file of a file backend, which saves half a second of Pulumi in every run. */
function mayMissKeys(stack: string): boolean {
  if (existsSync(join(stackFolder(stack), "id_ed25519"))) return false;
  const root = backendFolder();
  if (!root) return true;
  const file = join(root, "stacks", PROJECT, `${stack}.json`);
  return existsSync(file) && readFileSync(file, "utf8").includes(`"${sshKeyContract.type}"`);
}
