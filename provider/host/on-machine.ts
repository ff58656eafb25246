import type { OnMachine } from "../../contracts/on-machine";
import { StepError } from "../../common/errors";

import type { Context, Recorded } from "../rpc/handler";
import { ConnectionError, HostKeyError } from "../ssh/errors";
import type { Remote } from "../ssh/remote";
import { abandonAction } from "./unreachable";
import { NOT_READ } from "../preview/notices";

/** Where a resource is decides what it is; how we log in does not. */
export const HOST_REPLACES = ["instance"] as const;
export const HOST_IGNORES = ["connection"] as const;

/** The machine, once it is certain that it is the one that was meant. */
export async function theMachine(context: Context, { connection, instance }: OnMachine): Promise<Remote> {
  const machine = context.connections.get(connection);
  const found = await machine.machineId(context.signal);
  if (found === instance) return machine;
  throw new StepError({
    step: context.name,
    machine: machine.label,
    cause: `this is another machine (machine-id ${found.slice(0, 8)}...) than the one recorded (${instance.slice(0, 8)}...)`,
    action: "it was rebuilt behind our back: run `pulumi up --refresh`",
  });
}

/** The machine-id; undefined where the host key alone says that it is another machine. */
async function identityOf(machine: Remote, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await machine.machineId(signal);
  } catch (error) {
    if (error instanceof HostKeyError) return undefined;
    throw error;
  }
}

/** For deletes: nothing is undone on a machine that is not the one on which it was done. */
export async function sameMachine(context: Context, { connection, instance }: OnMachine): Promise<Remote | undefined> {
  const machine = context.connections.get(connection);
  if (context.unreachable.isMarkedGone(connection)) return undefined; // who proved it has said what is left there
  if (context.unreachable.isRebuilt(instance)) return undefined;
  try {
    if ((await identityOf(machine, context.signal)) === instance) return machine;
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    if (context.unreachable.isAbandoned(connection)) return leftBehind(context, machine);
    if (await context.isMachineRemoved(connection.host, context.signal)) return vanished(context, machine);
    throw new StepError({ ...error.failure, action: abandonAction(connection) });
  }
  context.status(`${machine.label} was rebuilt since: nothing is left to remove`);
  return undefined;
}

/** The rest of a destroy goes on; the person is told what nobody has cleaned. */
function leftBehind(context: Context, machine: Remote): undefined {
  context.warn(`${machine.label} does not answer: what ${context.name} put on it was left there`);
  return undefined;
}

/** Its container is gone, and with it all that was on it. Nobody else need wait for an answer. */
function vanished(context: Context, machine: Remote): undefined {
  context.unreachable.markGone(machine.connection);
  context.status(`${machine.label} is gone: nothing is left to remove`);
}

/**
 * Reads through `look`. A machine that cannot be reached tells nothing: the last known state stays, with a warning, so that
 * one dead machine does not fail the refresh of all others. Gone (undefined) where the machine was rebuilt.
 */
export async function lookAt<I extends OnMachine, O>(
  context: Context,
  old: Recorded<I, O>,
  look: (machine: Remote) => Promise<Recorded<I, O> | undefined>,
): Promise<Recorded<I, O> | undefined> {
  const machine = context.connections.get(old.inputs.connection);
  try {
    // At once, for one round trip: what was seen on another machine is not used.
    const [identity, seen] = await Promise.allSettled([identityOf(machine, context.signal), look(machine)]);
    if (identity.status === "rejected") throw identity.reason as Error;
    if (identity.value !== old.inputs.instance) return undefined;
    context.unreachable.reportAnswer(machine.connection);
    if (seen.status === "rejected") throw seen.reason as Error;
    return seen.value;
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    if (context.unreachable.reportSilent(machine.connection))
      context.warn(`${NOT_READ}, the last known state of everything on it is kept: ${error.message}`);
    return old;
  }
}
