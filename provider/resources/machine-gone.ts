import type { Connection } from "../../contracts/connection";
import type { ProviderContext } from "../context/context";
import { type CheckLimits, checkMachineGone, type MachineState } from "../kube/dead-node";
import { fenceMachine } from "../kube/fence";
import { machineName } from "../ssh/connection";

export interface SilentMachine {
  connection: Connection;
  /** The machine-id that was recorded. */
  instance: string;
  /** The user's command that powers a machine off (`drain.fence`). */
  fence?: string | undefined;
}

/**
 * Returns whether there is proof that the machine of a silent kubelet no longer runs: the configuration names it as
 * abandoned, its platform reports it as off, it was rebuilt, or the fencing command has powered it off. A missing
 * answer is no proof.
 */
export async function proveMachineGone(
  context: Pick<ProviderContext, "connections" | "unreachable" | "isMachineOff">,
  { connection, instance, fence }: SilentMachine,
  { signal, deadline }: CheckLimits,
): Promise<MachineState> {
  const name = machineName(connection);
  if (context.unreachable.isAbandoned(connection)) {
    return { gone: true, reason: `kubewright:recovery.abandoned names ${name}` };
  }
  if (await context.isMachineOff({ connection, instance }, signal)) {
    return { gone: true, reason: `${name} is stopped or deleted` };
  }
  const state = await checkMachineGone(context.connections.get(connection), instance, { signal, deadline });
  if (state.gone || fence === undefined) return state;
  return await fenceMachine({ command: fence, machine: name, host: connection.host, signal });
}
