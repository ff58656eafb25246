import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "@pulumi/pulumi/automation";
import { optional } from "../../common/optional";
import type { ClusterConfig } from "../../components/config";
import { readBackupStatus, type BackupStatus } from "../backup/backup-status";
import { clusterApi } from "../engine/cluster-api";
import { controlPlaneRemotes, machineRemotes } from "../engine/machines";
import { explainQuorumLoss } from "../engine/quorum-loss";
import type { Session } from "../engine/session";
import { readStackConfig } from "../engine/stack-config";
import { nodeChanges } from "../engine/state";
import { isRunUnfinished } from "../engine/unfinished-run";
import { clusterStatus, type ClusterStatus } from "./cluster-status";
import { readJournal, type UpgradeJournal } from "./upgrade-journal";
import { readApiServers } from "./upgrade-plan";

/** Milliseconds after which a cluster that does not answer is examined over SSH. */
const SLOW_MS = 5_000;

/** The status of a cluster, the age of its backups where they are configured, and an upgrade that is under way. */
export type FullStatus = ClusterStatus & { backups?: BackupStatus; upgrade?: UpgradeJournal };
type Reader = Pick<Session, "provider" | "signal">;

/**
 * Reads the status of a stack's cluster.
 * @throws StepError where the cluster cannot be read; after a loss of etcd's majority it explains that
 */
export async function readStatus(stack: Stack, session: Session): Promise<FullStatus> {
  return await withDetails(await readOrExplain(stack, session), stack, session);
}

/** Reads the cluster. If its API fails or is slow, etcd is read over SSH: a lost majority is the answer. */
async function readOrExplain(stack: Stack, session: Session): Promise<ClusterStatus> {
  const ended = new AbortController();
  const signal = AbortSignal.any([session.signal, ended.signal]);
  const reading = readCluster(stack, { ...session, signal });
  try {
    const isSlow = sleep(SLOW_MS, undefined, { signal }).catch(() => undefined);
    const answer = await Promise.race([reading.catch(() => undefined), isSlow]);
    if (answer) return answer;
    session.signal.throwIfAborted();
    const loss = await explainQuorumLoss(stack, session);
    if (loss) throw loss;
    return await reading;
  } finally {
    ended.abort();
  }
}

/** Reads the cluster, and the certificates of its machines. */
async function readCluster(stack: Stack, session: Reader): Promise<ClusterStatus> {
  const api = await clusterApi(stack, session);
  return await clusterStatus(api, {
    signal: session.signal,
    controlPlanes: await controlPlaneRemotes(stack, session),
    machines: await machineRemotes(stack, session),
  });
}

/** Adds what the configuration tells: the age of the last backup and drill, and an upgrade that is under way. */
async function withDetails(cluster: ClusterStatus, stack: Stack, session: Reader): Promise<FullStatus> {
  const config = await readStackConfig(stack).catch(() => undefined);
  if (!config) return withWarning(cluster, "the configuration is invalid, so backups and upgrades are not checked");
  const upgrade = await readUpgrade(cluster, { stack, config }, session);
  const all = { ...cluster, ...optional({ upgrade }) };
  const { backup } = config;
  if (!backup) return all;
  const machines = await controlPlaneRemotes(stack, session);
  const backups = await readBackupStatus(backup, machines, { signal: session.signal });
  const problems = [...cluster.problems, ...backups.problems];
  return { ...all, backups, problems, healthy: problems.length === 0 };
}

async function readUpgrade(
  { nodes }: ClusterStatus,
  { stack, config }: { stack: Stack; config: ClusterConfig },
  session: Reader,
): Promise<UpgradeJournal | undefined> {
  const api = await clusterApi(stack, session);
  const [apiServers, changed] = await Promise.all([readApiServers(api, session.signal), nodeChanges(stack)]);
  return readJournal({ config, nodes, apiServers, changed, isUnfinished: isRunUnfinished(stack.name) });
}

function withWarning(cluster: ClusterStatus, warning: string): ClusterStatus {
  return { ...cluster, warnings: [...cluster.warnings, warning] };
}
