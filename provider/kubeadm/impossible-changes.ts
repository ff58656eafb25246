import semver from "semver";
import type { Inputs } from "../../contracts/contract";
import type { kubeadmInitContract } from "../../contracts/kubeadm/init";
import type { ClusterConfiguration } from "../../render/kubeadm-types";
import type { Problem } from "../rpc/handler";

type InitInputs = Partial<Inputs<typeof kubeadmInitContract>>;

/** Finds changes that would break an existing cluster. The paths are those of the stack's configuration. */
export function findImpossibleChanges(inputs: InitInputs, old: InitInputs): Problem[] {
  const [now, before] = [clusterConfiguration(inputs), clusterConfiguration(old)];
  // The rebuilt machine of a single control plane gets a new cluster, for which everything may change.
  const isSameMachine = inputs.instance !== undefined && inputs.instance === old.instance;
  const isSameCluster = isSameMachine || hasOtherControlPlanes(inputs, old);
  return isSameCluster && now && before
    ? [...networkChanges(now, before), ...versionChanges(now, before), ...rebuiltFirst(inputs, old)]
    : [];
}

/** Whether the cluster lives on without the machine that initialized it. */
export function hasOtherControlPlanes(inputs: InitInputs, old: InitInputs): boolean {
  return [inputs, old].some(({ controlPlanes = [] }) => controlPlanes.length > 1);
}

const NETWORK_REASONS = {
  "network.podCidr": "nodes and pods keep their addresses, which the controller manager would no longer accept",
  "network.serviceCidr": "services, certificates and the cluster's DNS keep their addresses",
  "network.dnsDomain": "certificates and running pods keep the old domain",
  "controlPlane.endpoint":
    "certificates and the kubeconfigs of all nodes keep the old address " +
    "(without an endpoint it is the address of the first control plane)",
};

/** Returns the problem of a changed property of the network. An unknown value is no problem. */
export function networkProblem(
  path: keyof typeof NETWORK_REASONS,
  now: string | undefined,
  before: string | undefined,
): Problem[] {
  if (now === undefined || before === undefined || now === before) return [];
  const reason =
    `cannot change from ${before} to ${now} on an existing cluster: ${NETWORK_REASONS[path]}; set it back, ` +
    "or run `npm run down`, and build the cluster again with the new value";
  return [{ path, reason }];
}

function networkChanges(now: ClusterConfiguration, before: ClusterConfiguration): Problem[] {
  return [
    networkProblem("network.podCidr", now.networking.podSubnet, before.networking.podSubnet),
    networkProblem("network.serviceCidr", now.networking.serviceSubnet, before.networking.serviceSubnet),
    networkProblem("network.dnsDomain", now.networking.dnsDomain, before.networking.dnsDomain),
  ].flat();
}

function versionChanges(now: ClusterConfiguration, before: ClusterConfiguration): Problem[] {
  const [version, oldVersion] = [now.kubernetesVersion, before.kubernetesVersion].map((text) => text.replace(/^v/, ""));
  if (version === undefined || oldVersion === undefined || version === oldVersion) return [];
  return [
    {
      path: "kubernetes.version",
      reason:
        `cannot change from ${oldVersion} to ${version} on an existing cluster: ` +
        `${versionReason(version, oldVersion)}; set it back to ${oldVersion}`,
    },
  ];
}

/** https://kubernetes.io/releases/version-skew-policy/ */
function versionReason(version: string, oldVersion: string): string {
  if (semver.lt(version, oldVersion)) return "Kubernetes cannot be downgraded";
  if (semver.major(version) !== semver.major(oldVersion) || semver.minor(version) > semver.minor(oldVersion) + 1)
    return "Kubernetes cannot skip a minor version";
  return "kubelets of the new version would not start with the old configuration, and upgrades are not supported yet";
}

/** The machine that initialized a cluster cannot join it again yet. */
function rebuiltFirst(inputs: InitInputs, old: InitInputs): Problem[] {
  const isRebuilt = inputs.instance !== undefined && old.instance !== undefined && inputs.instance !== old.instance;
  if (!isRebuilt) return [];
  return [
    {
      path: "instance",
      reason:
        "the machine of the first control plane was rebuilt, and joining it to the cluster of the other control " +
        "planes is not supported yet; restore the machine from a backup, or run `npm run down` and build a new cluster",
    },
  ];
}

function clusterConfiguration({ documents = [] }: InitInputs): ClusterConfiguration | undefined {
  return documents.find((document) => document.kind === "ClusterConfiguration");
}
