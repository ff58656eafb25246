import { StepError, messageOf } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import type { Connection } from "../../contracts/connection";
import { describe, machineName } from "../ssh/connection";
import type { Remote } from "../ssh/remote";

/** What users can do about a cluster whose state is lost. */
const DOWN_AND_UP = `run \`${userCommand("down")}\`, then \`${userCommand("up")}\``;
const NEW_CLUSTER = `to give the cluster up, ${DOWN_AND_UP}`;
const RESTORE = `\`${userCommand("up", "--restore-from latest")}\``;
const LOSS_ACTION =
  `start the previous machine again, or create the cluster from a backup with ${RESTORE} (docs/backup.md); ` +
  NEW_CLUSTER;

/**
 * Refuses a second `kubeadm init`, which would make the other nodes members of a new and empty cluster.
 * @param nodes names of all nodes
 */
export function newClusterError(machine: Remote, nodes: readonly string[]): StepError {
  return new StepError({
    step: "kubeadm init",
    machine: machine.label,
    cause: describeLoss(machine, nodes),
    action: `nothing was changed; ${LOSS_ACTION}`,
  });
}

/**
 * Refuses to replace the machine of the only control plane, before anything is deleted.
 * @param nodes names of all nodes
 */
export function replacedMachineError(connection: Connection, nodes: readonly string[]): StepError {
  return new StepError({
    step: "replacing the cluster",
    machine: describe(connection),
    cause:
      "this is the machine of the only control plane, and its etcd would be lost with it. The nodes that are left " +
      `(${otherNodes(connection, nodes)}) would be reset, although pods may still run on them`,
    action:
      `nothing was reset; undo the change of the machine, start the previous one again, or create the cluster from a ` +
      `backup with ${RESTORE} (docs/backup.md). To give the cluster up, remove its workers first, or ${DOWN_AND_UP}`,
  });
}

/** Warns of the refusal at a refresh, before the run begins. */
export function lossWarning(machine: Remote, nodes: readonly string[]): string {
  return `${machine.label}: ${describeLoss(machine, nodes)}, so no run initializes one; ${LOSS_ACTION}`;
}

function describeLoss(machine: Remote, nodes: readonly string[]): string {
  const others = otherNodes(machine.connection, nodes);
  return (
    "the machine of the only control plane no longer has the cluster: it was rebuilt or reset. A new cluster would " +
    `reset the nodes that are left (${others}), on which pods may still run`
  );
}

function otherNodes(connection: Connection, nodes: readonly string[]): string {
  return [...new Set(nodes)].filter((node) => node !== machineName(connection)).join(", ");
}

/** Explains why a machine cannot join: without another control plane, it does not begin a new cluster. */
export function noControlPlaneError(machine: Remote, error: unknown): StepError {
  return new StepError({
    step: "kubeadm join",
    machine: machine.label,
    cause: `no other control plane of the cluster answers, and no new cluster is initialized: ${messageOf(error)}`,
    action:
      "start the other control planes again; if a majority of them is lost for good, recover etcd on one that is " +
      `left (\`${userCommand("recover", "NODE")}\`), then run again; ${NEW_CLUSTER}`,
  });
}
