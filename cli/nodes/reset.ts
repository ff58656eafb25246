import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { runOperation } from "../engine/operate";
import type { Session } from "../engine/session";
import { isFirstControlPlane, type MachineState } from "../engine/state";

/** @throws StepError for the control plane that initialized the cluster */
export function assertNotFirst(name: string, state: MachineState): void {
  if (!isFirstControlPlane(state)) return;
  throw new StepError({
    step: "removing the node",
    machine: name,
    cause: "it initialized the cluster, and its machine holds the cluster's identity",
    action: "delete the whole cluster with `npm run down`",
  });
}

/** Drains a node and removes everything on its machine, in the order of the dependencies. */
export async function resetMachine(stack: Stack, { contents }: MachineState, session: Session): Promise<void> {
  if (contents.length > 0) await runOperation(stack, "destroy", session, { target: contents });
}
