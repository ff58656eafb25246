import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { detachResources } from "../engine/detach";
import { runOperation } from "../engine/operate";
import type { Session } from "../engine/session";
import { reasonToKeep, type MachineState } from "../engine/state";
import { userCommand } from "../../common/user-command";

/** @throws StepError for a control plane without which the cluster would not live on */
export async function assertRemovable(stack: Stack, name: string): Promise<void> {
  const cause = await reasonToKeep(stack, name);
  if (cause === undefined) return;
  throw new StepError({
    step: "removing the node",
    machine: name,
    cause,
    action: `delete the whole cluster with \`${userCommand("down")}\``,
  });
}

/** Drains a node and removes everything on its machine, in the order of the dependencies. Other resources stay. */
export async function resetMachine(stack: Stack, { contents }: MachineState, session: Session): Promise<void> {
  if (contents.length === 0) return;
  await detachResources(stack, contents);
  await runOperation(stack, "destroy", session, { target: [...contents] });
}
