import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { readSnapshot, readLiveHash, type SnapshotContent } from "../../provider/backup/snapshot-content";
import { CONFIG_MAPS } from "../../render/backup/content";
import { collectFiles } from "../../provider/backup/collect";
import { writeStamps } from "../../provider/backup/stamps";
import type { KubeApi } from "../../provider/kube/api";
import { kubeletVersionOf } from "../../provider/kube/node-facts";
import { deleteAbandonedSnapshots, saveSnapshot } from "../../provider/kubeadm/etcd-snapshot";
import { machineName } from "../../provider/ssh/connection";
import type { Remote } from "../../provider/ssh/remote";
import { clusterApi } from "../engine/cluster-api";
import { controlPlaneMachines, healthyControlPlane, provideEtcdutl, withFolder, type BackupContext } from "./context";
import { writeFacts, type BackupFacts } from "../../provider/backup/facts";
import { readCaHash } from "../../provider/backup/identity";
import { userCommand } from "../../common/user-command";

export interface FinishedBackup {
  id: string;
  facts: BackupFacts;
}

/**
 * Takes a snapshot of etcd, proves that it can be restored, and stores it in the repository together with the keys of
 * the cluster's authorities and its configuration.
 */
export async function takeBackup(context: BackupContext): Promise<FinishedBackup> {
  const { stack, session, repository } = context;
  const { signal, progress } = session;
  // First, because a wrong password or a missing server is the most likely failure.
  progress(`opening the repository ${repository.address}`);
  await repository.open();
  const machines = await controlPlaneMachines(context);
  const machine = await healthyControlPlane(machines, signal);
  await provideEtcdutl(context, [machine]);
  return await withFolder(stack.name, async (folder) => {
    const facts = await fillFolder(context, machine, folder);
    progress("storing the backup");
    const id = await repository.store(folder, facts);
    await repository.clean(context.config.backup.keep);
    await writeStamps(machines, "backup", { id, time: facts.time }, signal);
    return { id, facts };
  });
}

/** Begins the name of a snapshot. The rest differs, because a backup from another computer may run at the same time. */
const NAME = "backup";

async function fillFolder(context: BackupContext, machine: Remote, folder: string): Promise<BackupFacts> {
  const { stack, session } = context;
  const { signal, progress } = session;
  progress(`${machine.label}: saving a snapshot of etcd`);
  const time = new Date().toISOString();
  await deleteAbandonedSnapshots(machine, NAME, signal);
  const snapshot = await saveSnapshot(machine, `${NAME}-${randomBytes(4).toString("hex")}`, signal);
  try {
    progress(`${machine.label}: restoring the snapshot into a scratch etcd`);
    const content = await readSnapshot(machine, snapshot, signal);
    await compareWithLive(machine, content, signal);
    progress("copying the snapshot and the keys");
    await collectFiles(machine, snapshot, folder, signal);
    const api = await clusterApi(stack, session);
    await writeConfigMaps(api, folder);
    const facts: BackupFacts = {
      ...{ stack: stack.name, time, node: machineName(machine.connection), content },
      ...(await readClusterFacts(api)),
      caHash: await readCaHash(machine, signal),
    };
    await writeFacts(folder, facts);
    return facts;
  } finally {
    await machine.run(`rm -f ${quote(snapshot)}`, { step: "removing the snapshot", signal }).catch(() => undefined);
  }
}

/** Compares the snapshot with the running etcd, unless its history was compacted in the meantime. */
async function compareWithLive(machine: Remote, content: SnapshotContent, signal: AbortSignal): Promise<void> {
  const live = await readLiveHash(machine, content.revision, signal);
  if (!live || live.compactRevision !== content.compactRevision || live.hash === content.hash) return;
  throw new StepError({
    step: "comparing the snapshot with etcd",
    machine: machine.label,
    cause: `at revision ${content.revision} etcd has the hash ${live.hash}, the snapshot ${content.hash}`,
    action: `run \`${userCommand("status")}\`, and look for the alarm CORRUPT of etcd`,
  });
}

/** Stores kubeadm's configuration as text, to rebuild a control plane before any API answers. */
async function writeConfigMaps({ core }: KubeApi, folder: string): Promise<void> {
  for (const name of CONFIG_MAPS) {
    const { data } = await core.readNamespacedConfigMap({ name, namespace: "kube-system" });
    for (const [key, text] of Object.entries(data ?? {})) {
      await writeFile(join(folder, `${name}.${key}.yaml`), text, { mode: 0o600 });
    }
  }
}

async function readClusterFacts(api: KubeApi): Promise<Pick<BackupFacts, "kubernetes" | "nodes">> {
  const { items } = await api.core.listNode();
  const { gitVersion } = await api.version.getCode();
  return {
    kubernetes: gitVersion.replace(/^v/, "") || (items[0] ? (kubeletVersionOf(items[0]) ?? "") : ""),
    nodes: items.map(({ metadata }) => metadata?.name ?? "").sort(),
  };
}
