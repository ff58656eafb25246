import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import type { Progress } from "../../common/progress";
import { pluralize } from "../terminal/text";
import { editState } from "./edit-state";
import { backendFolder } from "./paths";

interface State {
  pending_operations?: { type: string; resource: { urn: string } }[];
}

/**
 * Removes the pending operations that a killed run left in the state. Pulumi asks the user what became of each;
 * Kubewright's resources need no answer, because a create first checks what already exists.
 */
export async function clearPendingOperations(stack: Stack, project: string, progress: Progress): Promise<void> {
  if (!mayHavePending(stack.name, project)) return;
  await editState<State>(stack, (state) => {
    const pending = state.pending_operations ?? [];
    if (pending.length === 0) return undefined;
    progress(`a run was stopped during ${pluralize(pending.length, "operation")}: continuing`);
    return { ...state, pending_operations: [] };
  });
}

/** Reads the state file of a file backend, which saves half a second of Pulumi in every run. */
function mayHavePending(stack: string, project: string): boolean {
  const root = backendFolder();
  if (!root) return true;
  const file = join(root, "stacks", project, `${stack}.json`);
  return existsSync(file) && readFileSync(file, "utf8").includes('"pending_operations"');
}
