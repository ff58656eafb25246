import type { Handler } from "../rpc/handler";
import { dockerResources } from "./docker/resources";
import { apiServerFilesResource } from "./api-server-files";
import { artifactsResource } from "./artifacts";
import { authorityResource } from "./authority";
import { backupAccessResource } from "./backup-access";
import { binariesResource } from "./binaries";
import { certificateResource } from "./certificate";
import { encryptionFileResource } from "./encryption-file";
import { encryptionKeysResource } from "./encryption-keys";
import { encryptionResource } from "./encryption";
import { filesResource } from "./files";
import { firewallResource } from "./firewall";
import { hostResource } from "./host";
import { hostKeyResource } from "./host-key";
import { hostsResource } from "./etc-hosts";
import { imagesResource } from "./images";
import { keyPairResource } from "./key-pair";
import { kernelResource } from "./kernel";
import { kubeadmEndpointResource } from "./kubeadm-endpoint";
import { kubeadmInitResource } from "./kubeadm-init";
import { addOnsResource } from "./kubeadm-add-ons";
import { clusterConfigurationResource } from "./kubeadm-cluster-configuration";
import { controlPlaneResource } from "./kubeadm-control-plane";
import { kubeadmJoinResource } from "./kubeadm-join";
import { kubeletAuthorityResource } from "./kubelet-authority";
import { kubeletJoinResource } from "./kubelet-join";
import { kubeconfigResource } from "./kubeconfig";
import { manifestsResource } from "./manifests";
import { nodeResource } from "./node";
import { packagesResource } from "./packages";
import { preflightResource } from "./preflight";
import { leftoversResource } from "./leftovers";
import { rolloutResource } from "./rollout";
import { daemonSetRolloutResource } from "./daemon-set-rollout";
import { rosterResource } from "./roster";
import { sshKeyResource } from "./ssh-key";
import { staticPodResource } from "./static-pod";
import { unitResource } from "./unit";
import { vagrantResources } from "./vagrant/resources";

/** Handlers of all resources of the provider. */
export const allResources: readonly Handler[] = [
  ...dockerResources,
  ...vagrantResources,
  artifactsResource,
  sshKeyResource,
  hostKeyResource,
  kubeconfigResource,
  hostResource,
  packagesResource,
  kernelResource,
  binariesResource,
  filesResource,
  unitResource,
  imagesResource,
  staticPodResource,
  leftoversResource,
  firewallResource,
  hostsResource,
  preflightResource,
  rosterResource,
  authorityResource,
  certificateResource,
  keyPairResource,
  apiServerFilesResource,
  encryptionKeysResource,
  encryptionFileResource,
  backupAccessResource,
  encryptionResource,
  kubeadmInitResource,
  kubeadmEndpointResource,
  kubeadmJoinResource,
  controlPlaneResource,
  clusterConfigurationResource,
  addOnsResource,
  kubeletAuthorityResource,
  kubeletJoinResource,
  nodeResource,
  manifestsResource,
  rolloutResource,
  daemonSetRolloutResource,
];
