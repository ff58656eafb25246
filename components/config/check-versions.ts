import semver from "semver";
import { poolsOf } from "./pools";
import type { ClusterConfig, ConfigEnvironment, CrossProblem } from "./types";

/**
 * A kubelet may be at most three minor versions older than the API server, and never newer.
 * https://kubernetes.io/releases/version-skew-policy/
 */
const KUBELET_MINORS_OLDER = 3;

/** Refuses versions that cannot be installed. */
export function supportedVersions(config: ClusterConfig, { kubernetesVersions }: ConfigEnvironment): CrossProblem[] {
  const pools = poolsOf(config).flatMap(({ path, version }): [string, string][] =>
    version === undefined ? [] : [[`${path}.version`, version]],
  );
  const versions: [string, string][] = [["kubernetes.version", config.kubernetes.version], ...pools];
  return versions
    .filter(([, version]) => !kubernetesVersions.includes(version))
    .map(([path, version]) => ({
      path,
      reason: `Kubewright cannot install version ${version}`,
      action: `use one of ${kubernetesVersions.join(", ")}`,
    }));
}

/** Refuses kubelets that are newer than the API server or too old for it. */
export function versionSkew(config: ClusterConfig): CrossProblem[] {
  return poolsOf(config).flatMap(({ path, version }) =>
    version === undefined ? [] : skewOf(`${path}.version`, config.kubernetes.version, version),
  );
}

function skewOf(path: string, controlPlane: string, kubelet: string): CrossProblem[] {
  const older = semver.minor(controlPlane) - semver.minor(kubelet);
  const problem = (reason: string, action: string): CrossProblem[] => [
    { path, reason, action, about: ["kubernetes.version"] },
  ];
  if (semver.gt(kubelet, controlPlane))
    return problem(
      `kubelet ${kubelet} is newer than the control plane ${controlPlane}`,
      `use ${controlPlane} or older`,
    );
  if (older <= KUBELET_MINORS_OLDER && semver.major(kubelet) === semver.major(controlPlane)) return [];
  return problem(
    `kubelet ${kubelet} is ${older} minor versions older than the control plane ${controlPlane}`,
    `use ${semver.major(controlPlane)}.${semver.minor(controlPlane) - KUBELET_MINORS_OLDER} or newer`,
  );
}
