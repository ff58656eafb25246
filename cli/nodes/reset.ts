import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { operate, type Session } from "../engine/operate";
import { isFirst, type MachineState } from "../engine/state";

/** @throws StepError for the control plane that the cluster began with. */
export function refuseFirst(name: string, state: MachineState): void {
  if (!isFirst(state)) return;
  throw new StepError({
    step: "taking the node away",
    machine: name,
    cause: "the cluster began on it, and its machine holds the cluster's identity",
    action: "`npm run down` removes the whole cluster",
  });
}

/** Everything on the machine and its membership, in the order that their dependencies give: the drain comes first. */
export async function resetMachine(stack: Stack, { contents }: MachineState, session: Session): Promise<void> {
  if (contents.length > 0) await operate(stack, "destroy", session, { target: contents });
}
