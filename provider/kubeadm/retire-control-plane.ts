import { messageOf } from "../../common/errors";
import { timeoutSignal } from "../../common/timer";
import type { OnMachine } from "../../contracts/on-machine";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { restoreTraffic, stopAnswering, takeOut } from "./api-traffic";
import { handOverLeadership } from "./etcd-member";
import { resetNode } from "./reset";

/** Seconds in which a machine that is deleted next must answer. It may be broken, which is why it is replaced. */
const ANSWER_SECONDS = 5;
/** Seconds in which its clients must have been sent away. */
const SECONDS = 30;

interface Retirement {
  /** Name of the node. */
  node: string;
  /** The control planes that stay. */
  others: readonly Remote[];
  /** Resets the machine even when etcd refuses to remove its member. */
  abandoned: boolean;
}

/**
 * Resets a control plane whose cluster lives on. Clients use the other API servers before this one loses its etcd, and
 * etcd's leader does not leave without a successor: otherwise requests would wait for seconds.
 * @throws StepError, before anything is deleted, when etcd refuses to remove the member; the control plane serves again
 */
export async function retireControlPlane(
  context: Context,
  machine: Remote,
  { node, others, abandoned }: Retirement,
): Promise<void> {
  const isOut = await sendClientsAway(context, machine, node);
  await leaveOrServe(context, machine, isOut, () => resetNode(machine, { ...context, others, abandoned }));
  await stopAnswering(context, machine);
}

/**
 * Lets a control plane whose machine is deleted as a whole leave its cluster: clients use the other API servers before,
 * if the machine still answers. A broken machine leaves all the same.
 * @param leave removes its member from etcd, through another control plane
 * @throws the error of `leave`; the control plane serves again
 */
export async function retireMachine(
  context: Context,
  { connection, instance }: OnMachine,
  { node, leave }: { node: string; leave: () => Promise<void> },
): Promise<void> {
  const machine = context.connections.get(connection);
  const limit = (seconds: number) => timeoutSignal(seconds * 1_000 * machine.patience, context.signal);
  const sendAway = async () => {
    if ((await machine.machineId(limit(ANSWER_SECONDS))) !== instance) return false;
    return await sendClientsAway({ ...context, signal: limit(SECONDS) }, machine, node);
  };
  const isOut = await sendAway().catch((error: unknown) => {
    context.signal.throwIfAborted();
    context.info(`${machine.label}: clients notice that it leaves: ${messageOf(error)}`);
    return false;
  });
  await leaveOrServe(context, machine, isOut, leave);
}

/** @returns whether the control plane was taken out of the API balancers */
async function sendClientsAway(context: Context, machine: Remote, node: string): Promise<boolean> {
  const isOut = await takeOut(context, machine, node);
  await handOverLeadership(machine, context);
  return isOut;
}

async function leaveOrServe(
  context: Context,
  machine: Remote,
  isOut: boolean,
  leave: () => Promise<void>,
): Promise<void> {
  try {
    await leave();
  } catch (error) {
    if (isOut && !context.signal.aborted) await restoreTraffic(context, machine);
    throw error;
  }
}
