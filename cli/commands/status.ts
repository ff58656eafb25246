import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "@pulumi/pulumi/automation";
import { messageOf } from "../../common/errors";
import { readBackupStatus, type BackupStatus } from "../backup/backup-status";
import { clusterApi, requireStack } from "../engine/cluster-api";
import { controlPlaneRemotes, machineRemotes } from "../engine/machines";
import { withSession, type Session } from "../engine/session";
import { readStackConfig } from "../engine/stack-config";
import { prepareEngine } from "../engine/workspace";
import { clusterStatus, type ClusterStatus } from "../nodes/cluster-status";
import { explainQuorumLoss } from "../nodes/quorum-loss";
import { statusText } from "../nodes/status-text";
import { readDrift } from "../preview/drift";
import type { Options } from "../terminal/options";
import { NOT_CHECKED } from "./table";

const UNHEALTHY = 1;
const WATCH_MS = 5_000;
/** Milliseconds after which a cluster that does not answer is examined over SSH. */
const SLOW_MS = 5_000;
/** Clears the terminal, and moves to its first line. */
const CLEAR = "\x1b[2J\x1b[H";

/** `npm run status`: shows the health of the cluster. It changes nothing, so it needs no lock. */
export async function run(options: Options): Promise<number> {
  const work = async (session: Session) => {
    await prepareEngine(session.progress, session.signal);
    return await (options.flags.has("watch") ? watch(options, session) : status(options, session));
  };
  return await withSession(options.stack, work, NOT_CHECKED, { isReadOnly: true });
}

/** Prints the status again and again, until Ctrl-C. An error of one time does not end it. */
async function watch(options: Options, session: Session): Promise<number> {
  for (;;) {
    const code = await status(options, session).catch((error: unknown) => {
      session.signal.throwIfAborted();
      process.stdout.write(`${messageOf(error)}\n`);
      return NOT_CHECKED;
    });
    await sleep(WATCH_MS, undefined, { signal: session.signal }).catch(() => undefined);
    if (session.signal.aborted) return code;
    process.stdout.write(process.stdout.isTTY && !options.flags.has("json") ? CLEAR : "\n");
  }
}

async function status(options: Options, session: Session): Promise<number> {
  const stack = await requireStack(options.stack);
  const nodes = await readOrExplain(stack, session);
  const cluster = await withBackups(nodes, stack, session);
  const drift = options.flags.has("drift") ? await driftedResources(stack, session) : undefined;
  session.screen.close();
  const healthy = cluster.healthy && (drift ?? []).length === 0;
  const all = { ...cluster, healthy, ...(drift ? { drift } : {}) };
  const certificates = options.flags.has("certificates");
  process.stdout.write(
    options.flags.has("json") ? `${JSON.stringify(all, null, 2)}\n` : statusText(all, { certificates }),
  );
  return healthy ? 0 : UNHEALTHY;
}

/** Reads the cluster. If its API fails or is slow, etcd is read over SSH: a lost majority is the answer. */
async function readOrExplain(stack: Stack, session: Session): Promise<ClusterStatus> {
  const ended = new AbortController();
  const signal = AbortSignal.any([session.signal, ended.signal]);
  const reading = readStatus(stack, { ...session, signal });
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
async function readStatus(stack: Stack, session: Session): Promise<ClusterStatus> {
  const api = await clusterApi(stack, session);
  return await clusterStatus(api, {
    signal: session.signal,
    controlPlanes: await controlPlaneRemotes(stack, session),
    machines: await machineRemotes(stack, session),
  });
}

/** Adds the age of the last backup and drill where backups are configured. */
async function withBackups(
  cluster: ClusterStatus,
  stack: Stack,
  session: Session,
): Promise<ClusterStatus & { backups?: BackupStatus }> {
  const config = await readStackConfig(stack).catch(() => undefined);
  if (!config)
    return withWarning(cluster, "the configuration is invalid, so the age of the last backup is not checked");
  const { backup } = config;
  if (!backup) return cluster;
  const machines = await controlPlaneRemotes(stack, session);
  const backups = await readBackupStatus(backup, machines, { signal: session.signal });
  const problems = [...cluster.problems, ...backups.problems];
  return { ...cluster, backups, problems, healthy: problems.length === 0 };
}

function withWarning(cluster: ClusterStatus, warning: string): ClusterStatus {
  return { ...cluster, warnings: [...cluster.warnings, warning] };
}

async function driftedResources(stack: Stack, session: Session): Promise<string[]> {
  return (await readDrift(stack, session)).drift.map(({ resource }) => resource);
}
