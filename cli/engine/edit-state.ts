import type { Stack } from "@pulumi/pulumi/automation";
import { withPrivateTemp } from "./private-temp";

/**
 * Changes the state of a stack. Pulumi's `importStack` writes the state, with secrets in plain text, to a file in the
 * folder for temporary files with default permissions, and leaves it there if the import fails.
 * @param change returns the changed state; undefined where nothing changes, and nothing is written
 */
export async function editState<State extends object>(
  stack: Stack,
  change: (state: State) => State | undefined,
): Promise<void> {
  const exported = await stack.exportStack();
  const state = change(exported.deployment as State);
  if (state !== undefined) await withPrivateTemp(() => stack.importStack({ ...exported, deployment: state }));
}
