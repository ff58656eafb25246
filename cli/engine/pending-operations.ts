import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import type { Progress } from "../../common/progress";
import { backendFolder } from "./paths";

interface State {
  pending_operations?: { type: string; resource: { urn: string } }[];
}

/**
 * A killed run leaves "I was just creating this" notes in the state, and Pulumi asks a person what became of each. Ours need no
 * answer: every create first looks whether it is so already. So the notes go, and `up` creates again.
 */
export async function clearPendingOperations(stack: Stack, project: string, progress: Progress): Promise<void> {
  if (!mayHavePending(stack.name, project)) return;
  const exported = await stack.exportStack();
  const state = exported.deployment as State;
  const pending = state.pending_operations ?? [];
  if (pending.length === 0) return;
  progress(
    `a run was stopped in the middle of ${pending.length} operation${pending.length > 1 ? "s" : ""}; going on from there`,
  );
  await stack.importStack({ ...exported, deployment: { ...state, pending_operations: [] } });
}

/** A look into the file saves half a second of Pulumi on every run. */
function mayHavePending(stack: string, project: string): boolean {
  const root = backendFolder();
  if (!root) return true;
  const file = join(root, "stacks", project, `${stack}.json`);
  return existsSync(file) && readFileSync(file, "utf8").includes('"pending_operations"');
}
