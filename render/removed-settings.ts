import semver from "semver";

/**
 * Flags that a release of the kubelet no longer accepts, by the release that removed them. The kubelet exits on an
 * unknown flag. Source: the `--help` of each release.
 */
const REMOVED_KUBELET_FLAGS: Readonly<Record<string, string>> = { "pod-infra-container-image": "1.35.0" };

/**
 * Feature gates that a release no longer knows, by the release that removed them. Components exit on an unknown gate.
 * Source: pkg/features/kube_features.go and k8s.io/apiserver/pkg/features/kube_features.go of each release.
 */
const REMOVED_GATES: Readonly<Record<string, readonly string[]>> = {
  "1.35.0": [
    "AllowServiceLBStatusOnNonLB",
    "CronJobsScheduledAnnotation",
    "DeclarativeValidation",
    "DeclarativeValidationTakeover",
    "LoadBalancerIPMode",
    "PodIndexLabel",
    "ProbeHostPodSecurityStandards",
    "SizeMemoryBackedVolumes",
    "StatefulSetAutoDeletePVC",
    "UnknownVersionInteroperabilityProxy",
    "UserNamespacesPodSecurityStandards",
  ],
  "1.36.0": [
    "CSIMigrationPortworx",
    "HonorPVReclaimPolicy",
    "InPlacePodVerticalScalingAllocatedStatus",
    "InTreePluginPortworxUnregister",
    "MemoryManager",
    "ServiceTrafficDistribution",
    "TopologyAwareHints",
  ],
};

/** Returns the release that removed a flag of the kubelet, if this version no longer accepts it. */
export function kubeletFlagRemovedIn(flag: string, version: string): string | undefined {
  const release = Object.hasOwn(REMOVED_KUBELET_FLAGS, flag) ? REMOVED_KUBELET_FLAGS[flag] : undefined;
  return release !== undefined && semver.gte(version, release) ? minorOf(release) : undefined;
}

/** Returns the release that removed a feature gate, if this version no longer knows it. */
export function gateRemovedIn(gate: string, version: string): string | undefined {
  const release = Object.entries(REMOVED_GATES).find(([, gates]) => gates.includes(gate))?.[0];
  return release !== undefined && semver.gte(version, release) ? minorOf(release) : undefined;
}

/** Names of the gates in a `--feature-gates` flag: `A=true,B=false`. */
export function gatesInFlag(value: string): string[] {
  return value.split(",").flatMap((setting) => setting.split("=")[0]?.trim() || []);
}

/**
 * Returns kubeadm's file of kubelet flags without those that this version of the kubelet no longer accepts.
 * @param text /var/lib/kubelet/kubeadm-flags.env: `KUBELET_KUBEADM_ARGS="--a=b --c=d"`
 */
export function withoutRemovedFlags(text: string, version: string): string {
  const removed = Object.keys(REMOVED_KUBELET_FLAGS).filter((flag) => kubeletFlagRemovedIn(flag, version));
  return removed.reduce(
    (rest, flag) => rest.replace(new RegExp(` --${flag}=[^\\s"]*|--${flag}=[^\\s"]* ?`, "g"), ""),
    text,
  );
}

function minorOf(release: string): string {
  return `${semver.major(release)}.${semver.minor(release)}`;
}
