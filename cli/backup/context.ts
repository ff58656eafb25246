import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { loadVersions, obtainArtifacts, type Arch, type LocalFile } from "../../artifacts";
import { obtainRestic } from "../../artifacts/restic";
import { StepError } from "../../common/errors";
import { repositoryAddress, type BackupSettings, type ClusterConfig } from "../../components/config";
import { installEtcdutl } from "../../provider/backup/etcd-programs";
import { ARCHITECTURES } from "../../provider/host/facts";
import { readEtcdReport } from "../../provider/kubeadm/etcd-report";
import type { Remote } from "../../provider/ssh/remote";
import { missingCluster } from "../engine/cluster-api";
import { controlPlaneRemotes } from "../engine/machines";
import { stackFolder } from "../engine/paths";
import { projectFolder } from "../engine/project-folder";
import type { Session } from "../engine/session";
import { readStackConfig } from "../engine/stack-config";
import { Repository } from "../../provider/backup/repository";
import { userCommand } from "../../common/user-command";

/** What a command for backups works with. */
export interface BackupContext {
  stack: Stack;
  session: Session;
  config: ClusterConfig & { backup: BackupSettings };
  repository: Repository;
}

/** @throws StepError where the configuration has no backups, or there is no restic */
export async function openBackups(stack: Stack, session: Session): Promise<BackupContext> {
  const config = await readStackConfig(stack);
  const { backup } = config;
  if (!backup) throw missingConfiguration();
  const restic = await obtainRestic(session.progress, session.signal);
  const settings = { ...backup, repository: repositoryAddress(backup.repository, projectFolder()) };
  const repository = new Repository(restic, settings, stack.name, session.signal);
  return { stack, session, config: { ...config, backup }, repository };
}

function missingConfiguration(): StepError {
  return new StepError({
    step: "reading the configuration",
    cause: "it has no section `backup`, so there is no repository",
    action:
      "set `pulumi config set --path backup.repository /srv/backups` and " +
      "`pulumi config set --secret --path backup.password PASSWORD`",
  });
}

/** Connections to the cluster's control planes. @throws StepError where the stack has no cluster */
export async function controlPlaneMachines({ stack, session }: BackupContext): Promise<Remote[]> {
  const machines = await controlPlaneRemotes(stack, session);
  if (machines.length === 0) throw missingCluster(stack.name);
  return machines;
}

/** Returns the first control plane whose etcd answers and has a majority. @throws StepError where there is none */
export async function healthyControlPlane(machines: readonly Remote[], signal: AbortSignal): Promise<Remote> {
  for (const machine of machines) {
    const report = await readEtcdReport(machine, signal).catch(() => undefined);
    signal.throwIfAborted();
    const healthy = report?.members.filter(({ isHealthy }) => isHealthy).length ?? 0;
    if (report && healthy > report.members.length / 2) return machine;
  }
  throw new StepError({
    step: "choosing a control plane",
    cause: "no control plane has an etcd that answers and has a majority",
    action: `run \`${userCommand("status")}\`, and repair what it names`,
  });
}

/** Copies etcdutl to control planes. It is obtained first where the cache does not have it. */
export async function provideEtcdutl({ config, session }: BackupContext, machines: readonly Remote[]): Promise<void> {
  const files = new Map<string, Promise<LocalFile>>();
  const fileFor = (arch: Arch) => {
    const file = files.get(arch) ?? obtainEtcdutl(config, arch, session);
    files.set(arch, file);
    return file;
  };
  await Promise.all(
    machines.map(async (machine) =>
      installEtcdutl(machine, await fileFor(await readArch(machine, session.signal)), session.signal),
    ),
  );
}

async function obtainEtcdutl(config: ClusterConfig, arch: Arch, { progress, signal }: Session): Promise<LocalFile> {
  const { source, runtime } = config;
  const kubernetes = loadVersions().kubernetes.default;
  const { binaries } = await obtainArtifacts({ source, kubernetes, arch, runtime }, progress, signal);
  return binaries.etcdutl;
}

async function readArch(machine: Remote, signal: AbortSignal): Promise<Arch> {
  const { stdout } = await machine.read("uname -m", { step: "reading the architecture", signal });
  return ARCHITECTURES[stdout.trim()] ?? "amd64";
}

const FOLDER = "backup-files-";

/**
 * Runs work with a folder for the files of one backup, which only this user can read. It is removed afterwards, because
 * it contains the cluster's keys; so is that of a killed command. Callers hold the stack's lock.
 */
export async function withFolder<T>(stack: string, work: (folder: string) => Promise<T>): Promise<T> {
  const parent = stackFolder(stack);
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent))
    if (name.startsWith(FOLDER)) await rm(join(parent, name), { recursive: true, force: true });
  const folder = await mkdtemp(join(parent, FOLDER));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
