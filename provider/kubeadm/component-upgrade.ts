import semver from "semver";
import { z } from "zod";
import type { Connection } from "../../contracts/connection";
import { ADMIN_KUBECONFIG } from "../../render/component-paths";
import { findControlPlaneProblem } from "../../render/version-skew";
import type { Context, Problem } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import {
  assertHealthy,
  checkVersions,
  findEtcdProblems,
  findNodeProblems,
  saveSnapshotBefore,
} from "./prepare-upgrade";

const API_SERVER = "kube-apiserver";
const ETCD = "etcd";

/** A component of a control plane that runs without kubeadm, as a static pod or as a service. */
export interface ComponentVersion {
  /** `etcd`, `kube-apiserver` */
  component?: string | undefined;
  /** Machine-id of its machine. */
  instance?: string | undefined;
  /** Version of Kubernetes that the control plane belongs to, without `v`. */
  kubernetes?: string | undefined;
  /** Image of a static pod. */
  image?: string | undefined;
}

const podSchema = z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })).min(1) }) });

/** Returns the image of a static pod's first container; undefined if the manifest has none. */
export function imageOfPod(manifest: unknown): string | undefined {
  return podSchema.safeParse(manifest).data?.spec.containers[0]?.image;
}

/** Returns the version in the tag of an image, without `v`. */
export function versionOfImage(image: string | undefined): string | undefined {
  return semver.coerce(image?.slice(image.lastIndexOf(":") + 1))?.version;
}

/**
 * Finds changes of the version that a control plane without kubeadm cannot make. A change is compared with what was
 * applied to this machine: after a failed upgrade, the configuration may return to the version that the machine has.
 */
export function findImpossibleComponent(now: ComponentVersion, old: ComponentVersion): Problem[] {
  if (now.kubernetes === undefined || now.instance === undefined || now.instance !== old.instance) return [];
  const problem = FINDERS[old.component ?? ""]?.(now, old);
  return problem === undefined ? [] : [{ path: "kubernetes.version", reason: problem }];
}

/** States of older versions have the version in the image only. */
function apiServerProblem({ kubernetes: to }: ComponentVersion, old: ComponentVersion): string | undefined {
  const from = old.kubernetes ?? versionOfImage(old.image);
  const problem = from === undefined || to === undefined ? undefined : findControlPlaneProblem(from, to);
  return problem && `${problem.reason}; ${problem.action}`;
}

function etcdProblem(now: ComponentVersion, old: ComponentVersion): string | undefined {
  const unreadable = describeUnreadable({ from: versionOfImage(old.image), to: versionOfImage(now.image) });
  return unreadable && `${unreadable}; keep the version`;
}

/**
 * Describes why one version of etcd cannot read the data of another; undefined if it can, or a version is not known.
 * etcd reads the data of an older minor version and of every patch release of its own, not of a newer minor version,
 * unless that was prepared by `etcdctl downgrade enable`.
 * https://etcd.io/docs/v3.6/downgrades/downgrade_3_6
 */
export function describeUnreadable(versions: {
  from?: string | undefined;
  to?: string | undefined;
}): string | undefined {
  const [to, from] = [semver.parse(versions.to), semver.parse(versions.from)];
  if (!to || !from || semver.gte(to, `${from.major}.${from.minor}.0`)) return undefined;
  return `etcd ${to.version} cannot read the data of etcd ${from.version}`;
}

const FINDERS: Readonly<Record<string, typeof apiServerProblem>> = {
  [API_SERVER]: apiServerProblem,
  [ETCD]: etcdProblem,
};

export interface ComponentUpgrade {
  component: string;
  /** Version of an API server that runs, without `v`. */
  from?: string | undefined;
  /** Version of Kubernetes that the control plane gets, without `v`. */
  to: string;
  connection: Connection;
}

/** Whether another version of the component is prepared: etcd and the API server, which change what etcd stores. */
export function isPrepared(component: string): boolean {
  return component === API_SERVER || component === ETCD;
}

/** Whether the component is the etcd of a control plane that is upgraded. */
export function isUpgradedEtcd({ component, kubernetes }: ComponentVersion): boolean {
  return component === ETCD && kubernetes !== undefined;
}

/**
 * Returns the next action when an API server of another version of Kubernetes was put back. etcd's own upgrade came
 * first and stays, because the previous API server was healthy with it.
 * @returns undefined where the version has not changed, and for other components
 */
export function actionAfterPutBack(now: ComponentVersion, from: string | undefined): string | undefined {
  const { component, kubernetes: to } = now;
  if (component !== API_SERVER || from === undefined || to === undefined || from === to) return undefined;
  return (
    "etcd keeps its version, with which this API server works; fix the cause, then run `pulumi up` again, or set " +
    `\`kubernetes.version\` to ${from} again, which may also return etcd to an older patch release`
  );
}

/**
 * Checks the cluster and saves a snapshot of etcd, before etcd or the API server starts from another program. Changes
 * nothing that runs. Does nothing for other components.
 * @throws StepError with everything that must be repaired first
 */
export async function prepareComponent(
  context: Context,
  machine: Remote,
  { component, from, to, connection }: ComponentUpgrade,
): Promise<void> {
  if (!isPrepared(component)) return;
  const { signal } = context;
  context.status(`checking that ${component} can change to the version of Kubernetes ${to}`);
  if (component === API_SERVER && from !== undefined) checkVersions(machine, { from, to });
  const hasNodes = component === API_SERVER || (await hasApiServer(machine, signal));
  assertHealthy(machine, [
    ...(await findEtcdProblems(machine, signal)),
    ...(hasNodes ? await findNodeProblems(context, connection, to) : []),
  ]);
  // The snapshot of before etcd's own change stays when the API server changes next.
  await saveSnapshotBefore(context, machine, { to, name: component === ETCD ? `before-${to}-etcd` : `before-${to}` });
}

/** Whether the control plane has an API server, which the ladder's rung `etcd` has not. */
export async function hasApiServer(machine: Remote, signal: AbortSignal): Promise<boolean> {
  const script = `[ ! -e ${ADMIN_KUBECONFIG} ] || echo yes`;
  const { stdout } = await machine.read(script, { step: "looking for the API server", signal });
  return stdout.trim() !== "";
}
