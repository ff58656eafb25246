import { randomBytes } from "node:crypto";
import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import { settleAll } from "../../common/settle-all";
import { Semaphore } from "../../common/wait";
import { readContents } from "../../provider/host/files";
import type { KubeApi } from "../../provider/kube/api";
import { KUBELET_LEAVES, readLeaves, requireIssued } from "../../provider/rotation/issued-certificates";
import { nextKeyPath, prepareMaterials, recordFormer, type Successions } from "../../provider/rotation/materials";
import { replaceSystemPods } from "../../provider/rotation/outdated-pods";
import { AUTHORITY, bundleIn, type AuthorityName, type Phase } from "../../provider/rotation/phases";
import { publishClusterInfo, waitUntilPublished } from "../../provider/rotation/published-authorities";
import { authorityOf, rotateControlPlane } from "../../provider/rotation/rotate-control-plane";
import { rotateKubelet } from "../../provider/rotation/rotate-kubelet";
import { recordRotation, removeRotation, type RotationRecord } from "../../provider/rotation/rotation-record";
import { machineName } from "../../provider/ssh/connection";
import type { Remote } from "../../provider/ssh/remote";
import type { CertificateKeys } from "../../render/kubeadm-types";
import { clusterApi } from "../engine/cluster-api";
import type { Session } from "../engine/session";
import { rotationContext } from "./rotation-context";

/** Kubelets that restart in parallel, once the first of them is proved. */
const KUBELETS = 5;

/** A phase on all machines. */
export interface Rotation {
  stack: Stack;
  session: Session;
  controlPlanes: readonly Remote[];
  /** All machines, the control planes first. */
  machines: readonly Remote[];
  /** Algorithm of new keys; that of each key that is replaced where it is undefined. */
  keys?: CertificateKeys | undefined;
}

/** Returns the record with which a phase begins. */
export function beginPhase(
  phase: Phase,
  authorities: readonly AuthorityName[],
  before: RotationRecord | undefined,
): RotationRecord {
  const id = before?.id ?? randomBytes(8).toString("hex");
  const { signedSince } = before ?? {};
  return { id, authorities: [...authorities], phase, isDone: false, ...optional({ signedSince }) };
}

/**
 * Does a phase on all machines: the control planes one after the other, then what clients read from the API, then the
 * kubelets. What an earlier run has proved is skipped.
 */
export async function rotate(rotation: Rotation, begun: RotationRecord): Promise<void> {
  const { session, controlPlanes, machines, keys } = rotation;
  let record = begun;
  const { signal, progress } = session;
  const successions = await prepareMaterials(controlPlanes, record.authorities, signal, keys);
  const cluster = successions.get("cluster");
  if (cluster && record.phase === "trust")
    await Promise.all(machines.map((machine) => recordFormer(machine, cluster.previous, signal)));
  if (record.phase === "drop") await requireReissued(rotation, record, successions);
  await recordRotation(controlPlanes, record, signal);
  for (const machine of controlPlanes) {
    const node = machineName(machine.connection);
    await rotateControlPlane(rotationContext(session, machine.label), machine, { record, successions, node });
    progress(`${machine.label}: phase ${record.phase} is proved`);
  }
  if (record.phase === "reissue" && record.signedSince === undefined) {
    record = { ...record, signedSince: new Date(await readClock(controlPlanes, signal)).toISOString() };
    await recordRotation(controlPlanes, record, signal);
  }
  if (cluster) await rotateClients(rotation, record, successions);
  await recordRotation(controlPlanes, { ...record, isDone: true }, signal);
  if (record.phase === "drop") await removeRotation(machines, signal);
}

/** Returns the latest clock of the control planes, milliseconds: that of this computer may differ. */
export async function readClock(controlPlanes: readonly Remote[], signal: AbortSignal): Promise<number> {
  const options = { step: "reading the clocks", signal };
  const clocks = await Promise.all(controlPlanes.map((machine) => machine.read("date +%s", options)));
  return Math.max(...clocks.map(({ stdout }) => Number(stdout.trim()))) * 1_000;
}

/** Changes everything outside of the control planes that uses the cluster's CA. */
async function rotateClients(rotation: Rotation, record: RotationRecord, successions: Successions): Promise<void> {
  const { stack, session } = rotation;
  const { signal, progress } = session;
  const succession = successions.get("cluster");
  if (!succession) return;
  const bundle = bundleIn(record.phase, succession);
  const api: KubeApi = await clusterApi(stack, session);
  await publishClusterInfo(api, bundle, signal);
  await waitUntilPublished(api, bundle, { signal, status: progress });
  await rotateKubelets(rotation, record, { bundle, next: succession.next });
  await replaceSystemPods(await clusterApi(stack, session), { signal, status: onChange(progress) });
}

/** Prints a status only when it changes. */
function onChange(progress: (message: string) => void): (message: string) => void {
  let last = "";
  return (message) => {
    if (message !== last) progress(message);
    last = message;
  };
}

/** One kubelet first, then some in parallel: their pods keep running. */
async function rotateKubelets(
  { session, controlPlanes, machines }: Rotation,
  record: RotationRecord,
  { bundle, next }: { bundle: string; next: string },
): Promise<void> {
  const { signal, progress } = session;
  const authority =
    record.phase === "reissue" ? { certificate: next, key: await readNewKey(controlPlanes, signal) } : undefined;
  const connections = controlPlanes.map(({ connection }) => connection);
  const work = async (machine: Remote) => {
    const context = rotationContext(session, machine.label);
    await rotateKubelet(context, machine, { record, bundle, authority, controlPlanes: connections });
    progress(`${machine.label}: the kubelet of phase ${record.phase} is proved`);
  };
  // Kubelets of control planes talk to their own API server, so they restart one after the other.
  for (const machine of controlPlanes) await work(machine);
  const [first, ...others] = machines.filter((machine) => !controlPlanes.includes(machine));
  if (first) await work(first);
  await workInParallel(others, work, signal);
}

/** After a failure, no further machine begins. */
async function workInParallel(
  machines: readonly Remote[],
  work: (machine: Remote) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const limit = new Semaphore(KUBELETS);
  const failure = new AbortController();
  const isOver = AbortSignal.any([signal, failure.signal]);
  const attempt = async (machine: Remote) => {
    isOver.throwIfAborted();
    await work(machine).catch((error: unknown) => {
      failure.abort(error);
      throw error;
    });
  };
  await settleAll(machines.map((machine) => limit.use(() => attempt(machine), isOver)));
}

/** Reads the new CA's key, which stays in memory. */
async function readNewKey([machine]: readonly Remote[], signal: AbortSignal): Promise<string> {
  const path = nextKeyPath("cluster");
  const key = machine && (await readContents(machine, [path], signal)).get(path);
  if (key !== undefined) return key;
  throw new StepError({ step: "reissuing certificates", cause: `${path} is missing on the first control plane` });
}

/**
 * Refuses to drop a CA that still has certificates in use.
 * @throws StepError for a certificate on a machine that the new CA did not issue
 */
async function requireReissued(
  { session, controlPlanes, machines }: Rotation,
  { authorities }: RotationRecord,
  successions: Successions,
): Promise<void> {
  const ofComponents = authorities.flatMap((name) => Object.values(AUTHORITY[name].leaves).flat());
  const ofKubelet = authorities.includes("cluster") ? KUBELET_LEAVES : [];
  const nextOf = (leaf: string) => successions.get(authorityOf(leaf))?.next ?? "";
  for (const machine of machines) {
    const names = [...(controlPlanes.includes(machine) ? ofComponents : []), ...ofKubelet];
    await requireIssued(machine, await readLeaves(machine, names, session.signal), nextOf);
  }
}
