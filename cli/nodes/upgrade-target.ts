import semver from "semver";
import { assertInstallable, findReleaseProblem } from "../../artifacts";
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
