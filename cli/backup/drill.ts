import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { StepError } from "../../common/errors";
import { BACKUP_FOLDER } from "../../render/backup/etcd-programs";
import { SNAPSHOT_FILE } from "../../render/backup/content";
import { fetchBackup } from "../../provider/backup/fetch-backup";
import { readSnapshot, type SnapshotContent } from "../../provider/backup/snapshot-content";
import { writeStamps } from "../../provider/backup/stamps";
import { sendSnapshot } from "../../provider/backup/send-snapshot";
import { quote } from "../../common/quote";
import type { Remote } from "../../provider/ssh/remote";
import { controlPlaneMachines, healthyControlPlane, provideEtcdutl, withFolder, type BackupContext } from "./context";
import type { BackupFacts } from "../../provider/backup/facts";
import { userCommand } from "../../common/user-command";

export interface FinishedDrill {
  id: string;
  facts: BackupFacts;
  /** Name and address of the control plane that ran the scratch etcd. */
  machine: string;
}

/**
 * Restores a backup from the repository into a scratch etcd on a control plane, and compares its content with what was
 * recorded when it was taken. Changes nothing in the cluster.
 * @param id of the backup, or `latest`
 * @throws StepError with every difference
 */
export async function drillBackup(context: BackupContext, id: string): Promise<FinishedDrill> {
  const { stack, session, repository } = context;
  const { signal, progress } = session;
  const backup = await repository.find(id);
  const machines = await controlPlaneMachines(context);
  const machine = await healthyControlPlane(machines, signal);
  return await withFolder(stack.name, async (folder) => {
    progress(`reading the backup ${backup.id} from ${repository.address}`);
    const facts = await fetchBackup(repository, backup.id, folder);
    await provideEtcdutl(context, [machine]);
    progress(`${machine.label}: restoring it into a scratch etcd`);
    await proveContent(machine, { folder, facts }, signal);
    await writeStamps(machines, "drill", { id: backup.id, time: new Date().toISOString() }, signal);
    return { id: backup.id, facts, machine: machine.label };
  });
}

async function proveContent(
  machine: Remote,
  { folder, facts }: { folder: string; facts: BackupFacts },
  signal: AbortSignal,
): Promise<void> {
  // Another computer may run a drill at the same time.
  const path = `${BACKUP_FOLDER}/drill.${randomBytes(4).toString("hex")}.db`;
  await sendSnapshot(machine, join(folder, SNAPSHOT_FILE), path, signal);
  try {
    const differences = findDifferences(facts.content, await readSnapshot(machine, path, signal));
    if (differences.length === 0) return;
    throw new StepError({
      step: "comparing the backup",
      machine: machine.label,
      cause: differences.join("; "),
      action: `use another backup: \`${userCommand("backup list")}\` lists them`,
    });
  } finally {
    await machine.run(`rm -f ${quote(path)}`, { step: "removing the snapshot", signal }).catch(() => undefined);
  }
}

/** Returns what differs between the recorded content of a backup and the restored one. */
export function findDifferences(recorded: SnapshotContent, restored: SnapshotContent): string[] {
  const kinds = [...new Set([...Object.keys(recorded.keys), ...Object.keys(restored.keys)])].sort();
  const compare = (name: string, one: number, other: number) =>
    one === other ? [] : [`${name}: recorded ${one}, restored ${other}`];
  return [
    ...compare("revision", recorded.revision, restored.revision),
    ...compare("hash", recorded.hash, restored.hash),
    ...kinds.flatMap((kind) => compare(kind, recorded.keys[kind] ?? 0, restored.keys[kind] ?? 0)),
  ];
}
