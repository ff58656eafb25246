import semver from "semver";
import { StepError } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import { findControlPlaneProblem, findKubeletSkew } from "../../render/version-skew";
import { isReady } from "../kube/cordon";
import { isControlPlane, kubeletVersionOf } from "../kube/node-facts";
import { retryRequest } from "../kube/retry";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { etcdProblems, readEtcdReport } from "./etcd-report";
import { saveSnapshot } from "./etcd-snapshot";
import type { ManifestTexts } from "./manifest-texts";
import { userCommand } from "../../common/user-command";

const STEP = "upgrading the control plane";

export interface VersionChange {
  /** Without the prefix `v`. */
  from: string;
  to: string;
  /** Minor version that the control plane emulates: `1.35`. */
  emulated?: string | undefined;
}

/** Returns the version of the API server that a control plane's manifests run, without the prefix `v`. */
export function versionInManifests(manifests: ManifestTexts): string | undefined {
  return /^\s*image: \S+\/kube-apiserver:v(\d+\.\d+\.\d+)\s*$/m.exec(manifests.get("kube-apiserver") ?? "")?.[1];
}

/** Returns the minor version that the API server of a control plane's manifests emulates. */
export function emulatedInManifests(manifests: ManifestTexts): string | undefined {
  return /^\s*- --emulated-version=(?:kube=)?(\d+\.\d+)\s*$/m.exec(manifests.get("kube-apiserver") ?? "")?.[1];
}

/**
 * Checks that a control plane can be upgraded, and saves a snapshot of etcd on its disk. Changes nothing that runs.
 * @throws StepError with everything that must be repaired first
 */
export async function prepareUpgrade(
  context: Context,
  machine: Remote,
  { from, to, emulated, connection }: VersionChange & { connection: Connection },
): Promise<void> {
  const { signal } = context;
  context.status(`checking that the control plane can change to ${to}`);
  checkVersions(machine, { from, to, emulated });
  assertHealthy(machine, [
    ...(await findEtcdProblems(machine, signal)),
    ...(await findNodeProblems(context, connection, to)),
  ]);
  await saveSnapshotBefore(context, machine, { to, name: `before-${to}` });
}

/** @throws StepError if a control plane cannot change its version so */
export function checkVersions(machine: Remote, { from, to, emulated }: VersionChange): void {
  const problem = findControlPlaneProblem(from, to, emulated);
  if (problem)
    throw new StepError({ step: STEP, machine: machine.label, cause: problem.reason, action: problem.action });
}

/** @throws StepError with the problems that must be repaired before the upgrade */
export function assertHealthy(machine: Remote, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new StepError({
    step: STEP,
    machine: machine.label,
    cause: `${problems.join("; ")}; nothing was changed on this machine`,
    action: `run \`${userCommand("status")}\`, repair what it names, then run \`pulumi up\` again`,
  });
}

/** Saves a snapshot of etcd on the disk of the control plane, and reports its path. */
export async function saveSnapshotBefore(
  context: Context,
  machine: Remote,
  { to, name }: { to: string; name: string },
): Promise<void> {
  context.status("saving a snapshot of etcd");
  const snapshot = await saveSnapshot(machine, name, context.signal);
  context.info(`${machine.label}: etcd's snapshot from before the upgrade to ${to} is ${snapshot}`);
}

/** Returns what etcd must not have before an upgrade: alarms, and members that are unhealthy. */
export async function findEtcdProblems(machine: Remote, signal: AbortSignal): Promise<string[]> {
  const report = await readEtcdReport(machine, signal);
  if (!report) return ["etcd does not answer"];
  const blocking = report.alarms.length > 0 || report.members.some(({ isHealthy }) => !isHealthy);
  return blocking ? etcdProblems(report) : [];
}

/**
 * Control planes must be Ready, and no kubelet may be too old for the new API server, or too new. The kubelet of a
 * control plane follows its API server.
 */
export async function findNodeProblems(context: Context, connection: Connection, to: string): Promise<string[]> {
  const { signal } = context;
  const api = await context.kube.api([connection], signal);
  const { items } = await retryRequest(api, "listing the nodes", signal, () => api.core.listNode({}));
  return items.flatMap((node) => {
    const name = node.metadata?.name ?? "";
    const isDown = isControlPlane(node) && !isReady(node);
    const kubelet = kubeletVersionOf(node);
    const follows = isControlPlane(node) && kubelet !== undefined && semver.gt(kubelet, to);
    const skew = kubelet === undefined || follows ? undefined : findKubeletSkew(kubelet, to);
    return [
      ...(isDown ? [`control plane ${name} is not Ready`] : []),
      ...(skew && !isDown ? [`${name}: ${skew.reason}; upgrade its pool first`] : []),
    ];
  });
}
