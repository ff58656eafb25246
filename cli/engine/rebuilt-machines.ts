import type { Stack } from "@pulumi/pulumi/automation";
import { REBUILT } from "../../provider/host/unreachable";
import { undoneMachines } from "./state";

/** Names machines to the provider, which is a child of ours: they are made anew, and nothing that was on them need be undone. */
export function nameRebuilt(machines: readonly string[]): void {
  process.env[REBUILT] = [process.env[REBUILT], ...machines].filter(Boolean).join(",");
}

/**
 * The engine (3.255) asks once more to undo what was on a machine that a run before had undone and removed, and not made anew yet. Nobody
 * would answer there.
 */
export async function nameUndone(stack: Stack): Promise<void> {
  const machines = await undoneMachines(stack);
  if (machines.length > 0) nameRebuilt(machines);
}
