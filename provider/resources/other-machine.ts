import { timeoutSignal } from "../../common/timer";
import { StepError } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import type { DrainSettings } from "../../contracts/drain";
import type { ProviderContext } from "../context/context";
import type { KubeApi } from "../kube/api";
import { isRenewingLease } from "../kube/node-lease";
import { ConnectionError } from "../ssh/errors";

/** Seconds in which a machine must answer SSH. One that does not is silent, which is no proof of another machine. */
const ANSWER_SECONDS = 20;

export interface NodeMachine {
  /** Name of the node. */
  node: string;
  connection: Connection;
  /** The machine-id that was recorded. */
  instance: string;
  drain: Partial<Pick<DrainSettings, "force" | "onUnreachable" | "fence">>;
}

type MachineContext = Pick<ProviderContext, "connections" | "unreachable" | "isMachineRemoved">;

/**
 * Refuses to empty a node while another machine answers at its address, before anything in the cluster changes. A
 * silent machine is accepted: `drain.onUnreachable` decides about it. So are a rebuilt machine, one that this run
 * replaces, and one that its platform has removed. If the kubelet is silent too, `force`, `onUnreachable: force`,
 * `fence` and `recovery.abandoned` apply whatever answers at the address.
 * @throws HostKeyError if the host key is not the pinned one
 * @throws StepError if the machine-id is another one, and the kubelet still runs on the recorded machine
 */
export async function rejectOtherMachine(
  context: MachineContext,
  api: KubeApi,
  machine: NodeMachine,
  signal: AbortSignal,
): Promise<void> {
  const { node, connection, instance } = machine;
  const { unreachable } = context;
  if (unreachable.isMarkedGone(connection) || unreachable.isRebuilt(instance)) return;
  const answer = await readIdentity(context, connection, signal);
  if (answer === undefined || answer === instance) return;
  if (answer instanceof ConnectionError) {
    if (await context.isMachineRemoved({ connection, instance }, signal)) return;
    if (isLossDecided(context, machine) && !(await isRenewingLease(api, node, signal))) return;
    throw answer;
  }
  if (instance && (await isRenewingLease(api, node, signal)))
    throw otherIdError(machine, answer, context.connections.get(connection).label);
}

/** Returns the machine-id, the refusal of the host key, or undefined if neither could be read. */
async function readIdentity(
  { connections }: MachineContext,
  connection: Connection,
  signal: AbortSignal,
): Promise<string | ConnectionError | undefined> {
  const machine = connections.get(connection);
  const limited = timeoutSignal(ANSWER_SECONDS * 1000 * machine.patience, signal);
  try {
    return await machine.machineId(limited);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ConnectionError && error.kind === "identity") return error;
    if (error instanceof StepError || limited.aborted) return undefined;
    throw error;
  }
}

/** Whether the user has decided what happens if the machine of the node is lost. */
function isLossDecided({ unreachable }: MachineContext, { connection, drain }: NodeMachine): boolean {
  const { force, onUnreachable, fence } = drain;
  return force === true || onUnreachable === "force" || fence !== undefined || unreachable.isAbandoned(connection);
}

function otherIdError({ node, instance }: NodeMachine, answer: string, machine: string): StepError {
  return new StepError({
    step: "checking the machine of the node",
    machine,
    cause:
      `its machine-id is ${answer.slice(0, 8)}..., but the kubelet of ${node} runs on the recorded machine ` +
      `${instance.slice(0, 8)}...: another machine answers at this address`,
    action:
      `nothing was changed; compare the address with \`kubectl get node ${node} -o wide\`, correct it in the ` +
      "configuration or give it back to the machine of the node, then run this command again",
  });
}
