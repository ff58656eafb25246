import { preflightContract } from "../contracts/cluster/preflight";
import { rosterContract } from "../contracts/cluster/roster";
import type { WrittenInputs } from "../contracts/contract";
import { daemonSetRolloutContract } from "../contracts/kube/daemon-set-rollout";
import { encryptionContract } from "../contracts/kube/encryption";
import { manifestsContract } from "../contracts/kube/manifests";
import { nodeContract } from "../contracts/kube/node";
import { rolloutContract } from "../contracts/kube/rollout";
import { addOnsContract } from "../contracts/kubeadm/add-ons";
import { apiServerFilesContract } from "../contracts/kubeadm/api-server-files";
import { clusterConfigurationContract } from "../contracts/kubeadm/cluster-configuration";
import { controlPlaneContract } from "../contracts/kubeadm/control-plane";
import { backupAccessContract } from "../contracts/kubeadm/backup-access";
import { encryptionFileContract } from "../contracts/kubeadm/encryption-file";
import { kubeadmEndpointContract } from "../contracts/kubeadm/endpoint";
import { kubeletAuthorityContract } from "../contracts/kubeadm/kubelet-authority";
import { kubeadmInitContract } from "../contracts/kubeadm/init";
import { kubeadmJoinContract } from "../contracts/kubeadm/join";
import { kubeletJoinContract } from "../contracts/kubelet/join";
import { type Args, type DeepInputParts, resourceClass } from "./resource";

export type PreflightArgs = Args<typeof preflightContract>;

/** A machine to check. */
export type PreflightMachineArgs = DeepInputParts<WrittenInputs<typeof preflightContract>["machines"][number]>;

/** Checks all machines before anything changes on any of them. Fails with one list of all problems. */
export class Preflight extends resourceClass(preflightContract) {}

export type RosterArgs = Args<typeof rosterContract>;

/**
 * Remembers which machines were members when the last run ended, so that the program can tell machines that already
 * serve from new ones.
 */
export class Roster extends resourceClass(rosterContract) {}

export type KubeadmInitArgs = Args<typeof kubeadmInitContract>;

/**
 * The first control plane, made by `kubeadm init`. An interrupted init is resumed.
 * @see https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-init/
 */
export class KubeadmInit extends resourceClass(kubeadmInitContract) {}

export type KubeadmJoinArgs = Args<typeof kubeadmJoinContract>;

/**
 * A machine's membership in a cluster, made by `kubeadm join` with a bootstrap token of its own.
 * @see https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/
 */
export class KubeadmJoin extends resourceClass(kubeadmJoinContract) {}

export type ControlPlaneArgs = Args<typeof controlPlaneContract>;

/** What every control plane of a kubeadm cluster is: its static pods, and the names of its API server's certificate. */
export class ControlPlane extends resourceClass(controlPlaneContract) {}

export type ClusterConfigurationArgs = Args<typeof clusterConfigurationContract>;

/**
 * kubeadm's and kube-proxy's configuration in the cluster, which joining nodes and later upgrades read.
 * @see https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 */
export class ClusterConfiguration extends resourceClass(clusterConfigurationContract) {}

export type KubeadmEndpointArgs = Args<typeof kubeadmEndpointContract>;

/** The address of the API server in what all nodes share: cluster-info, kube-proxy, flannel and admin.conf. */
export class KubeadmEndpoint extends resourceClass(kubeadmEndpointContract) {}

export type AddOnsArgs = Args<typeof addOnsContract>;

/** The images of kube-proxy and CoreDNS, which kubeadm deploys. */
export class AddOns extends resourceClass(addOnsContract) {}

export type KubeletJoinArgs = Args<typeof kubeletJoinContract>;

/**
 * A kubelet's membership in a cluster, by TLS bootstrap with a token of its own.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
 */
export class KubeletJoin extends resourceClass(kubeletJoinContract) {}

export type NodeArgs = Args<typeof nodeContract>;

/** A joined node: Ready, labelled, tainted. Deleting it drains the node and removes it from the cluster. */
export class Node extends resourceClass(nodeContract) {}

export type ManifestsArgs = Args<typeof manifestsContract>;

/**
 * Kubernetes objects that belong together, such as an add-on's, applied by server-side apply.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export class Manifests extends resourceClass(manifestsContract) {}

export type RolloutArgs = Args<typeof rolloutContract>;

/** A Deployment that another tool created, such as CoreDNS: patched, and waited for until it is Available. */
export class Rollout extends resourceClass(rolloutContract) {}

export type DaemonSetRolloutArgs = Args<typeof daemonSetRolloutContract>;

/** Replaces the pods of a DaemonSet whose update strategy is OnDelete: one first, then the others. */
export class DaemonSetRollout extends resourceClass(daemonSetRolloutContract) {}

export type ApiServerFilesArgs = Args<typeof apiServerFilesContract>;

/** Files that the flags of a control plane's API server name, such as an audit policy. */
export class ApiServerFiles extends resourceClass(apiServerFilesContract) {}

export type KubeletAuthorityArgs = Args<typeof kubeletAuthorityContract>;

/**
 * Lets every API server verify the serving certificates of kubelets, once each kubelet serves one of the cluster's CA.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
 */
export class KubeletAuthority extends resourceClass(kubeletAuthorityContract) {}

export type EncryptionFileArgs = Args<typeof encryptionFileContract>;

/** The file from which a control plane's API server reads its encryption keys. */
export class EncryptionFile extends resourceClass(encryptionFileContract) {}

export type BackupAccessArgs = Args<typeof backupAccessContract>;

/** What a control plane needs to back up the cluster itself, on a schedule. */
export class BackupAccess extends resourceClass(backupAccessContract) {}

export type EncryptionArgs = Args<typeof encryptionContract>;

/**
 * Encryption of the Secrets in etcd, on all control planes.
 * @see https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/
 */
export class Encryption extends resourceClass(encryptionContract) {}
