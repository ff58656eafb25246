import type { Stack } from "@pulumi/pulumi/automation";

/**
 * Changes the state of a stack.
 * @param change returns the changed state; undefined where nothing changes, and nothing is written
 */
export async function editState<State extends object>(
  stack: Stack,
  change: (state: State) => State | undefined,
): Promise<void> {
  const exported = await stack.exportStack();
  const state = change(exported.deployment as State);
  if (state !== undefined) await stack.importStack({ ...exported, deployment: state });
}
