import { StepError } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import type { RestoreFrom } from "../../contracts/kubeadm/restore-from";
import { ADMIN_CONF } from "../kube/clients";
import { readMembership } from "../kubeadm/membership";
import { readProgress } from "../kubeadm/run";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { placeBackup, type Placement } from "./place-backup";
import type { RestoreRecord } from "./restore-record";

/** A machine that gets a cluster: from a backup, where the configuration names one. */
export type Arrival = Omit<Placement, "restoreFrom"> & { restoreFrom?: RestoreFrom | undefined };

/**
 * Brings a backup to a machine without a cluster. A backup that it already has stays.
 * @returns the record of the backup that is on the machine; undefined where none is needed
 */
export async function bringBackup(
  context: Context,
  machine: Remote,
  { restoreFrom, ...arrival }: Arrival,
): Promise<RestoreRecord | undefined> {
  const { record } = arrival;
  if (record?.phase === "placed") return record;
  if (restoreFrom === undefined) return record === undefined ? undefined : refuseRest(machine, record);
  if (record === undefined && (await hasCluster(machine, context.signal))) return undefined;
  return await placeBackup(context, machine, { ...arrival, restoreFrom });
}

function refuseRest(machine: Remote, { id }: RestoreRecord): never {
  throw new StepError({
    step: "kubeadm init",
    machine: machine.label,
    cause: `a restore of the backup ${id} was interrupted, and its files are incomplete`,
    action: `run \`${userCommand("up", `--restore-from ${id}`)}\`, or \`kubeadm reset\` on the machine`,
  });
}

/** Whether the machine has a cluster already. @throws StepError where it has the beginning of an empty one */
async function hasCluster(machine: Remote, signal: AbortSignal): Promise<boolean> {
  const [progress, membership] = await Promise.all([
    readProgress(machine, "init", ADMIN_CONF, signal),
    readMembership(machine, signal),
  ]);
  if (progress === "started")
    throw new StepError({
      step: "placing the backup",
      machine: machine.label,
      cause: "`kubeadm init` has begun to create an empty cluster there",
      action: "run `kubeadm reset` on the machine, then this command again",
    });
  return progress === "done" || membership !== undefined;
}
