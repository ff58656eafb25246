import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { timeoutSignal } from "../../common/timer";
import { cacheRoot } from "../../artifacts";
import { obtainRestic } from "../../artifacts/restic";
import { StepError, messageOf } from "../../common/errors";
import { commandLine, quote } from "../../common/quote";
import { userCommand } from "../../common/user-command";
import type { RestoreFrom } from "../../contracts/kubeadm/restore-from";
import { FORMER_AUTHORITIES, ETCD_DATA, PKI } from "../../render/component-paths";
import type { ClusterConfiguration, InitConfiguration, KubeadmDocument } from "../../render/kubeadm-types";
import type { OutgoingFile } from "../host/archive";
import { writeFiles } from "../host/files";
import { networkProblem, versionOf } from "../kubeadm/impossible-changes";
import { caCertHash } from "../pki/ca-cert-hash";
import { knownHashes } from "../pki/former-authorities";
import type { Context } from "../rpc/handler";
import { machineName } from "../ssh/connection";
import type { Remote } from "../ssh/remote";
import { listMachineFiles, withoutOwnFiles } from "./backup-files";
import { MACHINE_FOLDER, SNAPSHOT_FILE } from "../../render/backup/content";
import { BACKUP_FOLDER } from "../../render/backup/etcd-programs";
import { installEtcdutl } from "./etcd-programs";
import type { BackupFacts } from "./facts";
import { fetchBackup } from "./fetch-backup";
import { findSurvivor } from "./survivor";
import { Repository } from "./repository";
import { restoreCommand } from "./restore-etcd";
import { removeRecord, writeRecord, type RestoreRecord } from "./restore-record";
import { sendSnapshot } from "./send-snapshot";

const STEP = "placing the backup";
const SECONDS = 600;
const UNDO_MS = 60_000;
const SNAPSHOT = `${BACKUP_FOLDER}/restore.db`;
const DATA = `${ETCD_DATA}/kubewright-restored`;

/** A backup, and the machine that gets the cluster from it. */
export interface Placement {
  restoreFrom: RestoreFrom;
  /** kubeadm's configuration of the new control plane. */
  documents: readonly KubeadmDocument[];
  /** Hash of the lost cluster's CA, where it is known. */
  caCertHash?: string | undefined;
  /** The record of an earlier attempt. */
  record: RestoreRecord | undefined;
}

/**
 * Brings the keys and etcd's data of a backup to a machine without a cluster, for `kubeadm init`. Everything is checked
 * before the machine changes, and a failure removes from it what has arrived.
 * @throws StepError if a control plane still has the cluster, or the backup does not fit the configuration
 */
export async function placeBackup(context: Context, machine: Remote, placement: Placement): Promise<RestoreRecord> {
  const { restoreFrom, record } = placement;
  const { signal, status } = context;
  return await withFolder(restoreFrom.stack, async (folder) => {
    const repository = await openRepository(context, restoreFrom);
    const { id } = await repository.find(record?.id ?? restoreFrom.backup);
    status(`reading the backup ${id}`);
    const facts = await fetchBackup(repository, id, folder);
    await assertFits(context, machine, placement, { facts, folder });
    const placing: RestoreRecord = { id, time: facts.time, phase: "placing" };
    const files = await listMachineFiles(folder);
    await assertEmpty(machine, record, signal);
    try {
      await writeRecord(machine, placing, signal);
      await placeFiles(context, machine, placement, { files, folder });
      const placed: RestoreRecord = { ...placing, phase: "placed" };
      await writeRecord(machine, placed, signal);
      return placed;
    } catch (error) {
      await removeFiles(context, machine, files);
      throw error;
    }
  });
}

/** Folder on this computer for the files of a backup, which contains the cluster's keys. */
async function withFolder<T>(stack: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(cacheRoot(), "restore", stack);
  await rm(folder, { recursive: true, force: true }); // left by a killed run
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openRepository({ status, signal }: Context, restoreFrom: RestoreFrom): Promise<Repository> {
  const restic = await obtainRestic(status, signal);
  return new Repository(restic, restoreFrom.repository, restoreFrom.stack, signal);
}

async function assertFits(
  context: Context,
  machine: Remote,
  { restoreFrom, documents, caCertHash: known }: Placement,
  { facts, folder }: { facts: BackupFacts; folder: string },
): Promise<void> {
  const ca = await readFile(join(folder, MACHINE_FOLDER, PKI, "ca.crt"), "utf8");
  const former = await readFile(join(folder, MACHINE_FOLDER, FORMER_AUTHORITIES), "utf8").catch(() => "");
  const backup = parse(
    await readFile(join(folder, "kubeadm-config.ClusterConfiguration.yaml"), "utf8"),
  ) as ClusterConfiguration;
  const problems = [
    ...(known === undefined || knownHashes(ca, former).includes(known)
      ? []
      : ["it is from a cluster with another certificate authority"]),
    ...findMismatches(facts, backup, documents),
  ];
  const survivor = await findSurvivor(context, restoreFrom.others, known ?? caCertHash(ca));
  if (survivor !== undefined)
    problems.unshift(`${survivor} still has this cluster, which \`${userCommand("restore")}\` restores in place`);
  if (problems.length === 0) return;
  throw new StepError({
    step: "comparing the backup with the configuration",
    machine: machine.label,
    cause: problems.join("; "),
    action: "nothing was changed; correct the configuration, or name another backup in backup.restoreFrom",
  });
}

/** Returns what of the configuration does not fit the backup. */
export function findMismatches(
  { kubernetes }: Pick<BackupFacts, "kubernetes">,
  { networking }: Pick<ClusterConfiguration, "networking">,
  documents: readonly KubeadmDocument[],
): string[] {
  const now = documents.find((document) => document.kind === "ClusterConfiguration")?.networking;
  const version = versionOf(documents);
  const minor = (text: string) => text.split(".").slice(0, 2).join(".");
  const differs = version !== undefined && minor(version) !== minor(kubernetes);
  return [
    ...(differs
      ? [`kubernetes.version is ${version}, the backup is from ${kubernetes}: upgrade after the restore`]
      : []),
    ...[
      ...networkProblem("network.podCidr", now?.podSubnet, networking.podSubnet),
      ...networkProblem("network.serviceCidr", now?.serviceSubnet, networking.serviceSubnet),
      ...networkProblem("network.dnsDomain", now?.dnsDomain, networking.dnsDomain),
    ].map(({ path, reason }) => `${path} ${reason}`),
  ];
}

/** Refuses a machine with data of etcd that no earlier attempt has left. */
async function assertEmpty(machine: Remote, record: RestoreRecord | undefined, signal: AbortSignal): Promise<void> {
  if (record !== undefined) return;
  const script = `[ ! -e ${ETCD_DATA}/member ] || echo exists`;
  const { stdout } = await machine.read(script, { step: STEP, signal });
  if (stdout.trim() === "") return;
  throw new StepError({
    step: STEP,
    machine: machine.label,
    cause: `${ETCD_DATA} has data already`,
    action: `nothing was changed; to restore this cluster in place, run \`${userCommand("restore")}\``,
  });
}

async function placeFiles(
  { status, signal }: Context,
  machine: Remote,
  { restoreFrom, documents }: Placement,
  { files, folder }: { files: readonly OutgoingFile[]; folder: string },
): Promise<void> {
  status("copying the keys and the snapshot");
  await writeFiles(machine, await withoutOwnFiles(machine, files, signal), STEP, signal);
  await installEtcdutl(machine, restoreFrom.etcdutl, signal);
  await sendSnapshot(machine, join(folder, SNAPSHOT_FILE), SNAPSHOT, signal);
  status("restoring etcd's data");
  const member = memberOf(machine, documents);
  const script = `set -e
umask 077
trap 'rm -f ${SNAPSHOT}' EXIT
mkdir -p ${ETCD_DATA}
rm -rf ${DATA} ${ETCD_DATA}/member
${restoreCommand(member, { snapshot: SNAPSHOT, cluster: [member], token: `restored-${Date.now()}`, folder: DATA })}
mv -T ${DATA}/member ${ETCD_DATA}/member
rm -rf ${DATA}`;
  await machine.run(script, { step: "restoring etcd's data", signal, timeout: SECONDS });
}

/** Returns the etcd member as `kubeadm init` names it. */
function memberOf(machine: Remote, documents: readonly KubeadmDocument[]): { name: string; peerUrl: string } {
  const init = documents.find((document): document is InitConfiguration => document.kind === "InitConfiguration");
  const address = init?.localAPIEndpoint.advertiseAddress ?? machine.connection.host;
  const host = address.includes(":") ? `[${address}]` : address;
  return { name: init?.nodeRegistration.name ?? machineName(machine.connection), peerUrl: `https://${host}:2380` };
}

/** Removes what has arrived, also after Ctrl-C. What stays is removed by the next attempt: the record stays too. */
async function removeFiles(context: Context, machine: Remote, files: readonly OutgoingFile[]): Promise<void> {
  const signal = timeoutSignal(UNDO_MS);
  const paths = commandLine(files.map(({ path }) => path).filter((path) => path.startsWith(`${PKI}/`)));
  const script = `rm -rf ${quote(SNAPSHOT)} ${DATA} ${ETCD_DATA}/member ${paths}`;
  try {
    await machine.run(script, { step: "removing the backup's files", signal });
    await removeRecord(machine, signal);
    context.undo();
  } catch (error) {
    context.warn(`${machine.label} still has files of the backup, which the next run replaces: ${messageOf(error)}`);
  }
}
