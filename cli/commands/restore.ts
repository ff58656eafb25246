import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { timeoutSignal } from "../../common/timer";
import { StepError, messageOf } from "../../common/errors";
import { userCommand } from "../../common/user-command";
import { SNAPSHOT_FILE } from "../../render/backup/content";
import { readPhase } from "../../provider/backup/restore-phase";
import { sendSnapshot } from "../../provider/backup/send-snapshot";
import { compareWithSnapshot } from "../../provider/backup/snapshot-content";
import { machineName } from "../../provider/ssh/connection";
import type { Remote } from "../../provider/ssh/remote";
import {
  controlPlaneMachines,
  healthyControlPlane,
  openBackups,
  provideEtcdutl,
  withFolder,
  type BackupContext,
} from "../backup/context";
import { fetchBackup } from "../../provider/backup/fetch-backup";
import type { BackupFacts } from "../../provider/backup/facts";
import { readCaHash } from "../../provider/backup/identity";
import { ARRIVED_SNAPSHOT, endInterrupted, restoreControlPlanes } from "../backup/restore";
import { restorePlanText, type RestorePlan } from "../backup/restore-plan";
import { listNodes, nodeChanges, repairNodes, type NodesBefore } from "../backup/restored-nodes";
import { closingTable } from "../nodes/closing-table";
import { clusterApi } from "../engine/cluster-api";
import { machineRemotes } from "../engine/machines";
import type { Session } from "../engine/session";
import { withStack } from "../engine/stack-session";
import type { Options } from "../terminal/options";
import { confirm } from "../terminal/prompt";
import { seconds } from "../terminal/text";

/** Milliseconds to remove the snapshots from the control planes. */
const REMOVE_MS = 30_000;

/** `npm run restore`: restores the cluster's state from a backup. */
export async function run(options: Options): Promise<number> {
  const afterInterrupt = "until the restored state is proved, the previous one is put back";
  const work = async (stack: Stack, session: Session) => {
    const context = await openBackups(stack, session);
    const machines = await controlPlaneMachines(context);
    // First, because the repository may not be reachable.
    await handleInterrupted(context, machines, options);
    const backup = await context.repository.find(options.values.from ?? "latest");
    return await withFolder(stack.name, async (folder) => {
      session.progress(`reading the backup ${backup.id} from ${context.repository.address}`);
      const facts = await fetchBackup(context.repository, backup.id, folder);
      return await restore({ context, id: backup.id, facts, folder, options, machines });
    });
  };
  return await withStack(options, "restore", work, afterInterrupt);
}

async function handleInterrupted(
  context: BackupContext,
  machines: readonly Remote[],
  { flags }: Options,
): Promise<void> {
  if (!flags.has("plan")) return await endInterrupted(context, machines);
  if ((await readPhase(machines, context.session.signal)) === undefined) return;
  const command = userCommand("restore");
  context.session.progress(`an earlier restore was interrupted: \`${command}\` ends it first, which changes this plan`);
}

interface Order {
  context: BackupContext;
  id: string;
  facts: BackupFacts;
  /** Folder with the backup's files. */
  folder: string;
  options: Options;
  /** The control planes. */
  machines: readonly Remote[];
}

async function restore(order: Order): Promise<number> {
  try {
    return await restoreOn(order);
  } finally {
    await removeSnapshots(order.machines);
  }
}

async function restoreOn(order: Order): Promise<number> {
  const { context, id, facts, folder, options, machines } = order;
  const { stack, session } = context;
  await assertSameCluster(machines, facts, session.signal);
  await provideEtcdutl(context, machines);
  const before = await readNodesBefore(stack, session);
  const plan = await planRestore(order, before);
  session.screen.close();
  process.stdout.write(`\n${restorePlanText(plan, Date.now())}`);
  if (options.flags.has("plan")) return 0;
  if (!options.flags.has("yes") && !(await confirm("Restore?", session.signal))) return 1;
  const start = Date.now();
  await restoreControlPlanes(context, machines, folder);
  await repairRestoredNodes(context, before);
  session.screen.close();
  const nodes = (await closingTable(stack, session)) ?? "";
  process.stdout.write(`\nBackup ${id} of ${facts.time} is restored, after ${seconds(start)}.\n\n${nodes}\n`);
  return 0;
}

/** The state stays restored where a node cannot be repaired. */
async function repairRestoredNodes(context: BackupContext, before: NodesBefore): Promise<void> {
  const { stack, session } = context;
  try {
    await repairNodes(context, await clusterApi(stack, session), before);
  } catch (error) {
    const cause = `the state is restored, but not all nodes work: ${messageOf(error)}`;
    session.progress(cause); // After Ctrl-C the error is not printed.
    throw new StepError({
      step: "repairing the nodes",
      cause,
      action: `do not restore again: repair what the error names, then run \`${userCommand("up")}\``,
    });
  }
}

/** Removes the snapshot, which contains the cluster's secrets; also after Ctrl-C. */
async function removeSnapshots(machines: readonly Remote[]): Promise<void> {
  const signal = timeoutSignal(REMOVE_MS);
  const script = `rm -f ${ARRIVED_SNAPSHOT}`;
  await Promise.allSettled(machines.map((machine) => machine.run(script, { step: "removing the snapshot", signal })));
}

/** Keys and certificates must fit the restored state. */
async function assertSameCluster(machines: readonly Remote[], facts: BackupFacts, signal: AbortSignal): Promise<void> {
  for (const machine of machines) {
    if ((await readCaHash(machine, signal)) === facts.caHash) continue;
    throw new StepError({
      step: "comparing the backup with the cluster",
      machine: machine.label,
      cause: "the backup is from a cluster with another certificate authority, or from before its rotation",
      action: `use a backup of this cluster: \`${userCommand("backup list")}\` lists them`,
    });
  }
}

async function readNodesBefore(stack: Stack, session: Session): Promise<NodesBefore> {
  const limit = timeoutSignal(20_000, session.signal);
  try {
    return await listNodes(await clusterApi(stack, { ...session, signal: limit }), limit);
  } catch {
    session.signal.throwIfAborted();
    session.progress("the API does not answer: the nodes of the machines are expected");
    return undefined;
  }
}

async function planRestore({ context, id, facts, folder, machines }: Order, before: NodesBefore): Promise<RestorePlan> {
  const names = (await machineRemotes(context.stack, context.session)).map(({ connection }) => machineName(connection));
  return {
    id,
    facts,
    ...nodeChanges(facts.nodes, before, names),
    changes: await readChanges(context, machines, folder),
    kubernetes: before && (await readVersion(context)),
  };
}

async function readVersion({ stack, session }: BackupContext): Promise<string | undefined> {
  const api = await clusterApi(stack, session);
  return (await api.version.getCode()).gitVersion.replace(/^v/, "");
}

/** Compares the snapshot with the running etcd, on a control plane whose etcd answers. */
async function readChanges(
  { session }: BackupContext,
  machines: readonly Remote[],
  folder: string,
): Promise<RestorePlan["changes"]> {
  const { signal, progress } = session;
  const machine = await healthyControlPlane(machines, signal).catch(() => undefined);
  signal.throwIfAborted();
  if (!machine) return undefined;
  progress(`${machine.label}: comparing the backup with etcd`);
  try {
    await sendSnapshot(machine, join(folder, SNAPSHOT_FILE), ARRIVED_SNAPSHOT, signal);
    return await compareWithSnapshot(machine, ARRIVED_SNAPSHOT, signal);
  } catch (error) {
    signal.throwIfAborted();
    progress(`warning: ${messageOf(error)}`);
    return undefined;
  }
}
