import { StepError } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import type { Connection } from "../../contracts/connection";
import { isOfCluster, readMembership } from "../kubeadm/membership";
import type { Context } from "../rpc/handler";
import { ConnectionError } from "../ssh/errors";

const STEP = "proving that the cluster is lost";

/**
 * Returns the name of a control plane that still has the cluster; undefined where none has it.
 * @param caCertHash of the cluster
 * @throws StepError for a control plane that does not answer: the cluster may live there
 */
export async function findSurvivor(
  context: Context,
  others: readonly Connection[],
  caCertHash: string,
): Promise<string | undefined> {
  const names = await Promise.all(others.map((connection) => survives(context, connection, caCertHash)));
  return names.find((name) => name !== undefined);
}

async function survives(context: Context, connection: Connection, caCertHash: string): Promise<string | undefined> {
  const machine = context.connections.get(connection);
  try {
    const membership = await readMembership(machine, context.signal);
    return membership !== undefined && isOfCluster(membership, caCertHash) ? machine.label : undefined;
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    if (context.unreachable.isAbandoned(connection)) return undefined;
    throw new StepError({
      step: STEP,
      machine: machine.label,
      cause: `the cluster may still run there: ${error.failure.cause}`,
      action:
        "start the machine; if it will not come back, remove it from the configuration, or name it in " +
        `kubewright:recovery.abandoned, then run \`${userCommand("up")}\` again`,
    });
  }
}
