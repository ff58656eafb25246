import semver from "semver";
import type { Inputs } from "../../contracts/contract";
import type { controlPlaneContract } from "../../contracts/kubeadm/control-plane";
import type { kubeadmInitContract } from "../../contracts/kubeadm/init";
import type { kubeadmJoinContract } from "../../contracts/kubeadm/join";
import { ENCRYPTION_FILE, ENCRYPTION_FLAG } from "../../render/encryption";
import type { ClusterConfiguration, InitConfiguration, KubeadmDocument } from "../../render/kubeadm-types";
import { emulatedVersionOf } from "../../render/emulated-version";
import { findControlPlaneProblem, type VersionProblem } from "../../render/version-skew";
import { SOCKETS } from "../../render/runtime";
import type { Problem } from "../rpc/handler";
import { userCommand } from "../../common/user-command";

type ControlPlaneInputs = Partial<Inputs<typeof controlPlaneContract>>;
type InitInputs = Partial<Inputs<typeof kubeadmInitContract>>;
type JoinInputs = Partial<Inputs<typeof kubeadmJoinContract>>;

/** Finds changes that would break an existing cluster. The paths are those of the stack's configuration. */
export function findImpossibleChanges(inputs: InitInputs, old: InitInputs): Problem[] {
  const [now, before] = [clusterConfiguration(inputs), clusterConfiguration(old)];
  // The rebuilt machine of a single control plane gets a new cluster, for which everything may change.
  const isSameCluster = isSameMachine(inputs, old) || hasOtherControlPlanes(inputs, old);
  return isSameCluster && now && before ? [...networkChanges(now, before), ...rebuiltEndpoint(inputs, old)] : [];
}

/** Whether the machine is known, and is the recorded one: a rebuilt one has another instance. */
export function isSameMachine(inputs: { instance?: string }, old: { instance?: string }): boolean {
  return inputs.instance !== undefined && inputs.instance === old.instance;
}

/** Whether the cluster lives on without the machine that initialized it. */
export function hasOtherControlPlanes(inputs: InitInputs, old: InitInputs): boolean {
  return [inputs, old].some(({ controlPlanes = [] }) => controlPlanes.length > 1);
}

/** Whether the cluster has other nodes than the machine that initialized it: control planes or workers. */
export function hasOtherNodes(inputs: InitInputs, old: InitInputs): boolean {
  return hasOtherControlPlanes(inputs, old) || [inputs, old].some(({ nodes = [] }) => nodes.length > 1);
}

/**
 * Whether the cluster stays as it is in the state, whatever changes. The instance is unknown while the machine of a
 * single control plane is to be replaced; one that was rebuilt at the same address has another instance.
 */
export function isClusterProtected(inputs: InitInputs, old: InitInputs): boolean {
  return hasOtherControlPlanes(inputs, old) || (inputs.instance !== undefined && hasOtherNodes(inputs, old));
}

/** A node of a cluster is not reset into another cluster: only a machine that was rebuilt joins a new one. */
export function findOtherCluster(inputs: JoinInputs, old: JoinInputs): Problem[] {
  const hashes = [inputs.caCertHash, old.caCertHash];
  if (!isSameMachine(inputs, old) || hashes.includes(undefined) || inputs.caCertHash === old.caCertHash) return [];
  return [
    {
      path: "caCertHash",
      reason:
        "the machine is a node of a cluster, and would be reset to join another one, in which its pods do not exist; " +
        `run \`${userCommand("down")}\` if the cluster is lost, and build a new one`,
    },
  ];
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
    `or run \`${userCommand("down")}\`, and build the cluster again with the new value`;
  return [{ path, reason }];
}

function networkChanges(now: ClusterConfiguration, before: ClusterConfiguration): Problem[] {
  // Documents of a program that uses the resource itself may leave it out.
  const [network, old] = [now, before].map(({ networking }: Partial<ClusterConfiguration>) => networking);
  return [
    networkProblem("network.podCidr", network?.podSubnet, old?.podSubnet),
    networkProblem("network.serviceCidr", network?.serviceSubnet, old?.serviceSubnet),
    networkProblem("network.dnsDomain", network?.dnsDomain, old?.dnsDomain),
  ].flat();
}

/**
 * Finds changes of the version that a control plane cannot make. They are compared with what was applied to this
 * machine: after a failed upgrade, the configuration may return to the version that the machine still has.
 */
export function findImpossibleUpgrade(inputs: ControlPlaneInputs, old: ControlPlaneInputs): Problem[] {
  const [to, from] = [versionOf(inputs.documents), versionOf(old.documents)];
  if (to === undefined || from === undefined) return [];
  if (!isSameMachine(inputs, old)) return [];
  const [emulated, before] = [emulatedIn(inputs.documents), emulatedIn(old.documents)];
  if (to === from) return emulated === before || emulated === undefined ? [] : [lateEmulation(to)];
  const path = "kubernetes.version";
  const problem = findControlPlaneProblem(from, to, before) ?? findEtcdProblem(inputs, old);
  if (problem) return [{ path, reason: `${problem.reason}; ${problem.action}` }];
  return startsWithNewGate(inputs.documents ?? [], { from, to })
    ? [{ path, reason: `upgrading to ${GATE_SINCE} with runtime docker is not supported yet; set it back to ${from}` }]
    : [];
}

/** An API server without its keys could not read the Secrets that are encrypted. */
export function findLostEncryption(inputs: ControlPlaneInputs, old: ControlPlaneInputs): Problem[] {
  const [now, before] = [clusterConfiguration(inputs), clusterConfiguration(old)];
  if (!isSameMachine(inputs, old) || !now || !before || !isEncrypted(before) || isEncrypted(now)) return [];
  const reason =
    "cannot be off on a cluster whose Secrets are encrypted, because the API servers could not read them; " +
    "set identity, which stores them as plain text again";
  return [{ path: "security.encryption.provider", reason }];
}

/** API servers that still verify kubelets would reach none whose certificate is its own. */
export function findLostVerification(inputs: ControlPlaneInputs, old: ControlPlaneInputs): Problem[] {
  const isLost = old.kubeletCertificates === "verified" && inputs.kubeletCertificates === undefined;
  if (!isSameMachine(inputs, old) || !isLost) return [];
  const reason =
    "cannot be self-signed while the API servers verify kubelets, because `kubectl logs` and `kubectl exec` would " +
    "fail; apply unverified first";
  return [{ path: "security.kubeletServingCertificates", reason }];
}

/** Documents of a program that uses the resource itself may leave the API server out. */
function isEncrypted({ apiServer }: Partial<ClusterConfiguration>): boolean {
  return (apiServer?.extraArgs ?? []).some(({ name, value }) => name === ENCRYPTION_FLAG && value === ENCRYPTION_FILE);
}

/** Objects that the newer API server has stored already would be unreadable after a return to the version before. */
function lateEmulation(version: string): Problem {
  const reason =
    `the control plane has run ${version} without it, so etcd may contain objects that only ${version} can read; ` +
    "set it together with a newer kubernetes.version";
  return { path: "controlPlane.emulate", reason };
}

/** etcd reads data of an older minor version, not of a newer one. */
function findEtcdProblem(inputs: ControlPlaneInputs, old: ControlPlaneInputs): VersionProblem | undefined {
  const [to, from] = [inputs, old].map(({ documents }) => {
    // Documents of a program that uses the resource itself may leave out etcd.
    const cluster: Partial<ClusterConfiguration> | undefined = clusterConfiguration({ documents });
    return semver.coerce(cluster?.etcd?.local.imageTag);
  });
  if (!to || !from || semver.gte(to, `${from.major}.${from.minor}.0`)) return undefined;
  return { reason: `etcd ${to.version} cannot read the data of etcd ${from.version}`, action: "keep the version" };
}

/** Returns the minor version that the control plane emulates: `1.35`. */
function emulatedIn(documents: readonly KubeadmDocument[] | undefined): string | undefined {
  const cluster = clusterConfiguration({ documents: documents && [...documents] });
  return cluster && emulatedVersionOf(cluster);
}

/** With Docker, the kubelet of this version gets a feature gate that the version before does not know. */
const GATE_SINCE = "1.36.0";

function startsWithNewGate(documents: readonly KubeadmDocument[], { from, to }: { from: string; to: string }): boolean {
  const usesDocker = JSON.stringify(documents).includes(SOCKETS.docker);
  return usesDocker && semver.lt(from, GATE_SINCE) && semver.gte(to, GATE_SINCE);
}

/** Returns the version of Kubernetes in kubeadm's documents, without the prefix `v`. */
export function versionOf(documents: readonly KubeadmDocument[] | undefined): string | undefined {
  const version: string | undefined = clusterConfiguration({
    documents: documents && [...documents],
  })?.kubernetesVersion;
  return version?.replace(/^v/, "");
}

/** A machine cannot join a cluster whose nodes all use its own address, as those of older versions do. */
function rebuiltEndpoint(inputs: InitInputs, old: InitInputs): Problem[] {
  // Documents of a program that uses the resource itself may leave out both.
  const cluster: Partial<ClusterConfiguration> | undefined = clusterConfiguration(old);
  const init: Partial<InitConfiguration> | undefined = initConfiguration(old);
  const endpoint = cluster?.controlPlaneEndpoint?.replace(/:\d+$/, "");
  const own = init?.localAPIEndpoint?.advertiseAddress;
  if (inputs.restoreFrom !== undefined) return [];
  const isRebuilt = inputs.instance !== undefined && old.instance !== undefined && inputs.instance !== old.instance;
  if (!isRebuilt || endpoint === undefined || endpoint !== own) return [];
  return [
    {
      path: "instance",
      reason:
        `the machine at ${own} was rebuilt, and all nodes use that address as the cluster's endpoint, so it cannot ` +
        `join; restore the machine from a backup, or run \`${userCommand("down")}\` and build a new cluster`,
    },
  ];
}

export function initConfiguration({ documents = [] }: InitInputs): InitConfiguration | undefined {
  return documents.find((document) => document.kind === "InitConfiguration");
}

function clusterConfiguration({
  documents = [],
}: {
  documents?: InitInputs["documents"] | undefined;
}): ClusterConfiguration | undefined {
  return documents.find((document) => document.kind === "ClusterConfiguration");
}
