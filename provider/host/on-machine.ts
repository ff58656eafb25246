import type { OnMachine } from "../../contracts/on-machine";
import { StepError } from "../../common/errors";

import type { Context, Recorded } from "../rpc/handler";
import { ConnectionError } from "../ssh/errors";
import type { Remote } from "../ssh/remote";
import { abandonAction } from "../ssh/unreachable";
import { NOT_READ } from "../preview/notices";
import { userCommand } from "../../common/user-command";

/** The machine-id identifies a resource's machine; the login does not. */
export const MACHINE_REPLACE_ON = ["instance"] as const;
export const MACHINE_IGNORE = ["connection"] as const;

/** Returns the machine for a create or an update, after it has verified that it is the recorded one. */
export async function requireMachine(context: Context, { connection, instance }: OnMachine): Promise<Remote> {
  const machine = context.connections.get(connection);
  const machineId = await machine.machineId(context.signal);
  if (machineId === instance) {
    context.begin(); // from here on, changes to the machine must be recorded in the state
    return machine;
  }
  throw new StepError({
    step: context.name,
    machine: machine.label,
    cause: `machine-id ${machineId.slice(0, 8)}... differs from the recorded ${instance.slice(0, 8)}...`,
    action: `the machine was rebuilt: run \`${userCommand("up", "--refresh")}\`, or \`pulumi up --refresh\``,
  });
}

/** Returns the machine for a delete; undefined if it is not the one on which the resource was created. */
export async function findMachine(context: Context, recorded: OnMachine): Promise<Remote | undefined> {
  const { connection, instance } = recorded;
  const machine = context.connections.get(connection);
  if (context.unreachable.isMarkedGone(connection)) return undefined; // already reported
  if (context.unreachable.isRebuilt(instance)) return undefined;
  try {
    if ((await machine.machineId(context.signal)) === instance) return machine;
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    if (isUnreachable(error) && context.unreachable.isAbandoned(connection)) return skipAbandoned(context, machine);
    if (await context.isMachineRemoved(recorded, context.signal)) return skipRemoved(context, machine);
    if (!isUnreachable(error)) throw error;
    throw new StepError({ ...error.failure, action: abandonAction(connection) });
  }
  context.status(`${machine.label} was rebuilt: there is nothing to remove`);
  return undefined;
}

/** Lets a delete continue without the machine, and warns about what stays on it. */
function skipAbandoned(context: Context, machine: Remote): undefined {
  context.warn(`${machine.label} does not answer: ${context.name} was not removed from it`);
  return undefined;
}

/** Records that the machine no longer exists, so that the deletes of its other resources do not wait for it. */
function skipRemoved(context: Context, machine: Remote): undefined {
  context.unreachable.markGone(machine.connection);
  context.status(`${machine.label} is gone: there is nothing to remove`);
}

/**
 * Refreshes a resource with `read`. If the machine cannot be reached, the recorded state is kept, with a warning, so
 * that one dead machine does not fail the refresh of all others. It is also kept if the resource is unfinished and
 * `read` does not find it: otherwise a destroy would leave the parts that exist. Returns undefined if the machine was
 * rebuilt.
 */
export async function readMachine<I extends OnMachine, O>(
  context: Context,
  old: Recorded<I, O>,
  read: (machine: Remote) => Promise<Recorded<I, O> | undefined>,
): Promise<Recorded<I, O> | undefined> {
  if (context.unreachable.isMarkedGone(old.inputs.connection)) return undefined;
  const machine = context.connections.get(old.inputs.connection);
  try {
    // Both in parallel, for one round trip. The result is discarded if it comes from another machine.
    const [identity, result] = await Promise.allSettled([machine.machineId(context.signal), read(machine)]);
    if (identity.status === "rejected") throw identity.reason as Error;
    if (identity.value !== old.inputs.instance) return undefined;
    context.unreachable.reportAnswer(machine.connection);
    if (result.status === "rejected") throw result.reason as Error;
    return result.value ?? (old.unfinished ? old : undefined);
  } catch (error) {
    if (await isReplaced(context, old.inputs, error)) return skipRemoved(context, machine);
    if (!isUnreachable(error)) throw error;
    if (context.unreachable.reportSilent(machine.connection))
      context.warn(`${NOT_READ}; the last known state of everything on it is kept: ${error.message}`);
    return old;
  }
}

/** Whether another machine has the address, according to the platform that created both. It has another host key. */
async function isReplaced(context: Context, recorded: OnMachine, error: unknown): Promise<boolean> {
  if (!(error instanceof ConnectionError) || isUnreachable(error)) return false;
  return await context.isMachineRemoved(recorded, context.signal);
}

/** Whether the machine cannot be reached. Another host key than the pinned one is an error, and proves nothing. */
function isUnreachable(error: unknown): error is ConnectionError {
  return error instanceof ConnectionError && error.kind !== "identity";
}
