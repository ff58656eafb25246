import semver from "semver";
import { userCommand } from "../common/user-command";

/**
 * A kubelet may be at most three minor versions older than the API server, and never newer.
 * https://kubernetes.io/releases/version-skew-policy/
 */
const KUBELET_MINORS_OLDER = 3;

/** A version that does not follow the version skew policy, and what the user can do about it. */
export interface VersionProblem {
  reason: string;
  action: string;
}

/** Returns why a cluster cannot go from one version to another in a single step; undefined if it can. */
export function findUpgradeProblem(from: string, to: string): VersionProblem | undefined {
  if (semver.lt(to, from))
    return { reason: `Kubernetes cannot be downgraded from ${from} to ${to}`, action: `set it back to ${from}` };
  const minors = minorsBetween(from, to);
  if (minors <= 1) return undefined;
  const upgrade = userCommand("upgrade", `--to ${to}`);
  return {
    reason: `Kubernetes cannot skip a minor version, and ${to} is ${minors} minor versions newer than ${from}`,
    action: `set a version ${nextMinor(from)} first, or run \`${upgrade}\`, which takes all steps`,
  };
}

/**
 * Returns why a control plane cannot go from one version to another in a single step; undefined if it can. Unlike a
 * kubelet, it can return to an older patch release, and to the minor version that it has emulated since its upgrade:
 * etcd then contains nothing that the older API server cannot read.
 * @param emulated minor version that the control plane emulates: `1.35`
 */
export function findControlPlaneProblem(from: string, to: string, emulated?: string): VersionProblem | undefined {
  const canReturn = semver.lt(to, from) && (isSameMinor(from, to) || emulated === minorOf(to));
  return canReturn ? undefined : findUpgradeProblem(from, to);
}

/** Returns why a kubelet cannot work with an API server; undefined if it can. */
export function findKubeletSkew(kubelet: string, apiServer: string): VersionProblem | undefined {
  if (semver.gt(kubelet, apiServer))
    return {
      reason: `kubelet ${kubelet} is newer than the control plane ${apiServer}`,
      action: `use ${apiServer} or older`,
    };
  const older = minorsBetween(kubelet, apiServer);
  if (older <= KUBELET_MINORS_OLDER) return undefined;
  return {
    reason: `kubelet ${kubelet} is ${older} minor versions older than the control plane ${apiServer}`,
    action: `use ${semver.major(apiServer)}.${semver.minor(apiServer) - KUBELET_MINORS_OLDER} or newer`,
  };
}

/**
 * Returns the versions through which an upgrade goes, the target last: the newest supported patch release of each minor
 * version in between. Empty if the cluster has the target version already.
 * @throws RangeError if the target is older, or no release of a minor version in between is supported
 */
export function planChain(from: string, to: string, supported: readonly string[]): string[] {
  if (from === to) return [];
  if (semver.lt(to, from)) throw new RangeError(`Kubernetes cannot be downgraded from ${from} to ${to}`);
  const between = Array.from({ length: Math.max(0, minorsBetween(from, to) - 1) }, (_, index) => {
    const minor = `${semver.major(from)}.${semver.minor(from) + index + 1}`;
    const newest = semver.maxSatisfying([...supported], `~${minor}.0`);
    if (newest === null)
      throw new RangeError(`no release of Kubernetes ${minor} is supported, and it cannot be skipped`);
    return newest;
  });
  return [...between, to];
}

/** Whether two versions have the same major and minor version, so that only the patch release differs. */
export function isSameMinor(one: string, other: string): boolean {
  return minorsBetween(one, other) === 0;
}

/** Minor versions from one version to another. Another major version counts as very far away. */
function minorsBetween(from: string, to: string): number {
  if (semver.major(from) !== semver.major(to)) return Number.MAX_SAFE_INTEGER;
  return semver.minor(to) - semver.minor(from);
}

function nextMinor(version: string): string {
  return `${semver.major(version)}.${semver.minor(version) + 1}`;
}

function minorOf(version: string): string {
  return `${semver.major(version)}.${semver.minor(version)}`;
}
