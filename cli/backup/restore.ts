import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { StepError, messageOf } from "../../common/errors";
import { firstSuccess } from "../../common/first-success";
import { settleAll } from "../../common/settle-all";
import { SNAPSHOT_FILE } from "../../render/backup/content";
import { BACKUP_FOLDER } from "../../render/backup/etcd-programs";
import {
  discardPreparedData,
  dropPreviousData,
  hasPreviousData,
  keepPreviousData,
  prepareData,
  startComponents,
  startEtcd,
  stopControlPlanes,
  usePreviousData,
  useRestoredData,
} from "../../provider/backup/restore-etcd";
import { clearPhase, readPhase, recordPhase } from "../../provider/backup/restore-phase";
import { readMember, type RestoredMember } from "../../provider/backup/restored-member";
import { sendSnapshot } from "../../provider/backup/send-snapshot";
import { pruneSnapshots, saveSnapshot } from "../../provider/kubeadm/etcd-snapshot";
import type { Remote } from "../../provider/ssh/remote";
import { clusterApi } from "../engine/cluster-api";
import type { Session } from "../engine/session";
import type { BackupContext } from "./context";
import { waitForApiServer, waitForControllers } from "../../provider/backup/restored-cluster";

/** Path of the snapshot on the control planes while it is restored. */
export const ARRIVED_SNAPSHOT = `${BACKUP_FOLDER}/restore.db`;
/** Snapshots from before restores that are kept on a control plane. */
const KEPT_SNAPSHOTS = 3;

/** What a restore needs of a command. */
export type RestoreContext = Pick<BackupContext, "stack" | "session">;

/**
 * Ends a restore that was killed. Where the restored state was not proved yet, the previous state is put back. A state
 * that was broken before the restore does not become healthy: another restore can continue from it.
 */
export async function endInterrupted(context: RestoreContext, machines: readonly Remote[]): Promise<void> {
  const { signal, progress } = context.session;
  const phase = await readPhase(machines, signal);
  if (phase === undefined) return;
  const members = await settleAll(machines.map((machine) => readMember(machine, signal)));
  if (phase === "proved") {
    progress("an earlier restore was interrupted at its end: its state stays");
    await startComponents(members);
    return await endRestore(context, members, false);
  }
  progress("an earlier restore was interrupted: putting the previous state back first");
  try {
    await putBack(context, members, signal);
    progress("the previous state is back, and the API server is ready");
  } catch (error) {
    signal.throwIfAborted();
    if (await hasPreviousData(members)) throw error;
    progress(`the previous data is back, but does not work: ${messageOf(error)}; it can be replaced by the backup`);
  }
}

/**
 * Replaces etcd's data on all control planes by a snapshot, and proves that etcd, the API servers and the controllers
 * work with it. When they do not, or on Ctrl-C, the previous state is put back.
 * @param folder with the backup's files
 */
export async function restoreControlPlanes(
  context: RestoreContext,
  machines: readonly Remote[],
  folder: string,
): Promise<void> {
  const { session } = context;
  const members = await settleAll(machines.map((machine) => readMember(machine, session.signal)));
  const isSaved = await saveCurrentState(members, session);
  session.progress("restoring the snapshot beside etcd's data");
  await prepareMembers(members, folder, session.signal);
  try {
    await recordPhase(members, "replacing");
    await replaceState(context, members);
  } catch (error) {
    throw await putBackAfter(context, members, error);
  }
  await recordPhase(members, "proved");
  await endRestore(context, members, isSaved);
}

/** Ends a restore whose state was proved. Without a snapshot of the previous state its data is kept. */
async function endRestore(
  { session }: RestoreContext,
  members: readonly RestoredMember[],
  isSaved: boolean,
): Promise<void> {
  if (isSaved) await dropPreviousData(members);
  else {
    await keepPreviousData(members);
    session.progress("the previous data of etcd stays in /var/lib/etcd/member.before-restore-*: delete it later");
  }
  await clearPhase(members);
}

/** Saves a snapshot of what the restore will replace. @returns whether there is one */
async function saveCurrentState(members: readonly RestoredMember[], { progress, signal }: Session): Promise<boolean> {
  const prefix = "before-restore-";
  const name = `${prefix}${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}`;
  let reason = "";
  for (const { machine } of members) {
    try {
      const path = await saveSnapshot(machine, name, signal);
      await pruneSnapshots(machine, prefix, KEPT_SNAPSHOTS, signal);
      progress(`${machine.label}: etcd's snapshot from before the restore is ${path}`);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      reason = messageOf(error);
    }
  }
  progress(`no snapshot of the present state: ${reason}; its data will be kept in /var/lib/etcd`);
  return false;
}

async function prepareMembers(members: readonly RestoredMember[], folder: string, signal: AbortSignal): Promise<void> {
  const token = `restored-${randomBytes(8).toString("hex")}`;
  try {
    await settleAll(
      members.map(async (member) => {
        await sendSnapshot(member.machine, join(folder, SNAPSHOT_FILE), ARRIVED_SNAPSHOT, signal);
        await prepareData(member, { snapshot: ARRIVED_SNAPSHOT, members, token }, signal);
      }),
    );
  } catch (error) {
    await discardPreparedData(members).catch(() => undefined);
    throw error;
  }
}

async function replaceState(context: RestoreContext, members: readonly RestoredMember[]): Promise<void> {
  const { signal, progress } = context.session;
  progress("stopping the control planes");
  signal.throwIfAborted();
  await stopControlPlanes(members, signal);
  await useRestoredData(members);
  progress("starting etcd with the restored data");
  await startEtcd(members, members.length, signal);
  progress("starting the API servers");
  await startComponents(members);
  await settleAll(members.map(({ machine }) => waitForApiServer(context.session.provider, machine, signal)));
  progress("waiting until the controllers work");
  const unproved = await waitForControllers(await clusterApi(context.stack, context.session), signal);
  if (unproved !== undefined) progress(`warning: a policy prevents the proof of the controllers: ${unproved}`);
  signal.throwIfAborted();
}

/** Puts the previous state back, also after Ctrl-C. @returns the error to report */
async function putBackAfter(
  context: RestoreContext,
  members: readonly RestoredMember[],
  error: unknown,
): Promise<StepError> {
  const { progress } = context.session;
  progress(`${messageOf(error)}; putting the previous state back`);
  const result = await putBack(context, members, new AbortController().signal).then(
    () => "the previous state was put back, and the API server is ready",
    (failure: unknown) => `the previous state could not be put back: ${messageOf(failure)}`,
  );
  progress(result); // After Ctrl-C the error is not printed.
  return new StepError({
    step: "restoring the cluster",
    cause: `${messageOf(error)}; ${result}`,
    action: "repair what the error names, then run the same command again",
  });
}

/**
 * Returns to the state from before the restore. It may have had members that were not healthy, so a majority of etcd
 * and one API server are enough. The manifests return even where etcd does not become healthy.
 */
async function putBack(
  context: RestoreContext,
  members: readonly RestoredMember[],
  signal: AbortSignal,
): Promise<void> {
  if (await hasPreviousData(members)) {
    await stopControlPlanes(members, signal);
    await usePreviousData(members);
  }
  try {
    await startEtcd(members, Math.floor(members.length / 2) + 1, signal);
  } finally {
    await startComponents(members);
  }
  await waitForOneApiServer(context, members, signal);
  await discardPreparedData(members);
  await clearPhase(members);
}

async function waitForOneApiServer(
  { session }: RestoreContext,
  members: readonly RestoredMember[],
  signal: AbortSignal,
): Promise<void> {
  const attempts = members.map(
    ({ machine }) =>
      (limited: AbortSignal) =>
        waitForApiServer(session.provider, machine, limited),
  );
  await firstSuccess(attempts, { signal, delayMs: 0 }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error instanceof AggregateError ? error.errors[0] : error;
  });
}
