import type { Stack } from "@pulumi/pulumi/automation";
import { timeoutSignal } from "../../common/timer";
import { messageOf } from "../../common/errors";
import { optional } from "../../common/optional";
import { describeEtcd } from "../../provider/kubeadm/etcd-report";
import { readLastRun } from "../engine/last-run";
import type { Session } from "../engine/session";
import { readStackConfig } from "../engine/stack-config";
import { resourcesOf, type StateResource } from "../engine/state";
import { withoutSecretMarks } from "../engine/secrets";
import { readStatus, type FullStatus } from "../nodes/read-status";
import { readDrift, type Drift } from "../preview/drift";
import { criticalPath } from "./critical-path";
import { dependenciesOf, readMap } from "./read-map";
import type { Asked, ClusterReport, RunReport } from "./report-data";

/** Milliseconds until a cluster that does not answer is reported. */
const LIMIT_MS = 60_000;

export interface CollectOptions {
  /** Whether the cluster is read, or only the state on this computer. */
  isOffline: boolean;
  /** Whether machines are compared with the configuration, which takes the longest. */
  hasDrift: boolean;
}

/** Reads everything that the report shows. What cannot be read becomes "not asked". */
export async function collectReport(stack: Stack, session: Session, options: CollectOptions): Promise<ClusterReport> {
  const resources = withoutSecretMarks(await resourcesOf(stack)) as StateResource[];
  const config = await readStackConfig(stack).catch(() => undefined);
  const timeline = readLastRun(stack.name);
  const run: RunReport | undefined = timeline && {
    timeline,
    criticalPath: criticalPath(timeline.spans, dependenciesOf(resources)),
  };
  const status = await askStatus(stack, session, options);
  return {
    stack: stack.name,
    time: new Date().toISOString(),
    version: ("value" in status && status.value.version) || (config?.kubernetes.version ?? ""),
    map: readMap(resources, config),
    ...optional({ run }),
    ...answersOf(status),
    drift: await askDrift(stack, session, status, options),
  };
}

async function askStatus(stack: Stack, session: Session, { isOffline }: CollectOptions): Promise<Asked<FullStatus>> {
  if (isOffline) return { notAsked: "the report was written offline" };
  session.progress("reading the cluster");
  const limited = { ...session, signal: timeoutSignal(LIMIT_MS, session.signal) };
  return await answer(session, () => readStatus(stack, limited));
}

function answersOf(status: Asked<FullStatus>): Pick<ClusterReport, "health" | "nodes" | "certificates" | "backups"> {
  if ("notAsked" in status) return { health: status, nodes: status, certificates: status, backups: status };
  const { healthy, problems, warnings, etcd, nodes, certificates, backups } = status.value;
  return {
    health: { value: { healthy, problems, warnings, ...optional({ etcd: etcd && describeEtcd(etcd) }) } },
    nodes: { value: nodes },
    certificates: { value: certificates },
    backups: { value: backups },
  };
}

async function askDrift(
  stack: Stack,
  session: Session,
  status: Asked<FullStatus>,
  { hasDrift }: CollectOptions,
): Promise<Asked<readonly Drift[]>> {
  if ("notAsked" in status) return status;
  if (!hasDrift) return { notAsked: "only a picture was asked for" };
  session.progress("comparing the machines with the configuration");
  return await answer(session, async () => (await readDrift(stack, session)).drift);
}

/** Only an interruption ends the command: a cluster that cannot be read is part of the report. */
async function answer<T>(session: Session, read: () => Promise<T>): Promise<Asked<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    session.signal.throwIfAborted();
    return { notAsked: "the cluster did not answer", error: messageOf(error) };
  }
}
