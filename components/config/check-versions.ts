import semver from "semver";
import { poolsOf } from "./pools";
import type { ClusterConfig, ConfigSurroundings, CrossProblem } from "./types";

/** kubelet may be at most three minors older, never newer. https://kubernetes.io/releases/version-skew-policy/ */
const kubeletMinorsOlder = 3;

export function supportedVersions(config: ClusterConfig, { kubernetesVersions }: ConfigSurroundings): CrossProblem[] {
  const pools = poolsOf(config).flatMap(({ path, version }): [string, string][] =>
    version === undefined ? [] : [[`${path}.version`, version]],
  );
  const given: [string, string][] = [["kubernetes.version", config.kubernetes.version], ...pools];
  return given
    .filter(([, version]) => !kubernetesVersions.includes(version))
    .map(([path, version]) => ({
      path,
      reason: `${version} is not a version that Kubewright knows`,
      action: `use one of ${kubernetesVersions.join(", ")}`,
    }));
}

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
  if (older <= kubeletMinorsOlder && semver.major(kubelet) === semver.major(controlPlane)) return [];
  return problem(
    `kubelet ${kubelet} is ${older} minor versions older than the control plane ${controlPlane}`,
    `use ${semver.major(controlPlane)}.${semver.minor(controlPlane) - kubeletMinorsOlder} or newer`,
  );
}
