import semver from "semver";
import { assertInstallable, cachedArtifacts, findReleaseProblem, loadVersions } from "../../artifacts";
import type { ClusterConfig } from "../../components/config";
import { controllerArch } from "../../components/machines/machine";

/**
 * Returns the newest of the versions: the target of an upgrade without `--to`. A cluster may have a newer patch release
 * than versions.yaml lists.
 */
export function newestVersion(versions: readonly string[]): string {
  return semver.maxSatisfying([...versions], "*") ?? "";
}

/**
 * Refuses a target that the cluster's source does not have, before the first step of a chain changes anything.
 * @throws StepError
 */
export async function assertTargetInstallable(
  kubernetes: string,
  { source, runtime }: Pick<ClusterConfig, "source" | "runtime">,
  signal: AbortSignal,
): Promise<void> {
  const request = { source, kubernetes, arch: controllerArch(), runtime };
  assertInstallable(kubernetes, await findReleaseProblem(request, signal), "planning the upgrade");
}

/**
 * Returns the versions of etcd through which an upgrade leads, the present one first, each once. Empty if one of them
 * is not known: with `source: auto`, versions that are not in the cache may be downloaded or built.
 * @param present version that etcd reports
 * @param chain versions of Kubernetes
 */
export async function findEtcdPath(
  present: string | undefined,
  chain: readonly string[],
  config: Pick<ClusterConfig, "source" | "runtime">,
): Promise<string[]> {
  const next = await Promise.all(chain.map((version) => findEtcdVersion(version, config)));
  const path = [present, ...next].filter((version) => version !== undefined);
  return path.length <= chain.length ? [] : path.filter((version, index) => version !== path[index - 1]);
}

async function findEtcdVersion(
  kubernetes: string,
  { source, runtime }: Pick<ClusterConfig, "source" | "runtime">,
): Promise<string | undefined> {
  const cached = await cachedArtifacts({ source, kubernetes, arch: controllerArch(), runtime });
  const downloaded = loadVersions().kubernetes.supported[kubernetes]?.etcd;
  const tag = cached?.refs.etcd.split(":").at(-1) ?? (["auto", "modules"].includes(source) ? undefined : downloaded);
  return semver.coerce(tag)?.version;
}
