import semver from "semver";
import type { ClusterConfig, ConfigSurroundings, CrossProblem } from "./types";

/** kubelet may be at most three minors older, never newer. https://kubernetes.io/releases/version-skew-policy/ */
const kubeletMinorsOlder = 3;

export function supportedVersions(config: ClusterConfig, { kubernetesVersions }: ConfigSurroundings): CrossProblem[] {
  const given: [string, string][] = [["kubernetes.version", config.kubernetes.version]];
  if (config.workers.version !== undefined) given.push(["workers.version", config.workers.version]);
  return given.filter(([, version]) => !kubernetesVersions.includes(version)).map(([path, version]) => ({
    path, reason: `${version} is not a version that Kubewright knows`, action: `use one of ${kubernetesVersions.join(", ")}`,
  }));
}

export function versionSkew(config: ClusterConfig): CrossProblem[] {
  const [controlPlane, kubelet] = [config.kubernetes.version, config.workers.version ?? config.kubernetes.version];
  const older = semver.minor(controlPlane) - semver.minor(kubelet);
  const problem = (reason: string, action: string): CrossProblem[] => [{ path: "workers.version", reason, action, about: ["kubernetes.version"] }];
  if (semver.gt(kubelet, controlPlane)) return problem(`kubelet ${kubelet} is newer than the control plane ${controlPlane}`, `use ${controlPlane} or older`);
  if (older <= kubeletMinorsOlder && semver.major(kubelet) === semver.major(controlPlane)) return [];
  return problem(
    `kubelet ${kubelet} is ${older} minor versions older than the control plane ${controlPlane}`,
    `use ${semver.major(controlPlane)}.${semver.minor(controlPlane) - kubeletMinorsOlder} or newer`,
  );
}
