import { StepError } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import type { Adopted, Context, Handler } from "./handler";
import type { Properties } from "./values";

/** Takes an existing resource into a new state. @throws StepError where this kind of resource cannot be adopted */
export async function adoptResource(
  handler: Handler,
  context: Context,
  inputs: Properties,
): Promise<Adopted<Properties>> {
  if (handler.adopt) return await handler.adopt(context, inputs);
  throw new StepError({
    step: "adopting the cluster",
    cause: `resources of type ${handler.contract.type} cannot be adopted`,
    action: "see docs/backup.md: list machines of a cloud under machines.ssh.hosts",
  });
}

/** @throws StepError for an operation that would change something while the run adopts */
export function refuseChange(operation: string): never {
  throw new StepError({
    step: operation,
    cause: `an adoption changes nothing`,
    action: `run \`${userCommand("adopt")}\` with a stack that has no resources`,
  });
}
