import { join } from "node:path";
import { projectRoot } from "../../common/project-root";
import { preflightContract } from "../../contracts/cluster/preflight";
import { rosterContract } from "../../contracts/cluster/roster";
import type { Contract } from "../../contracts/contract";
import { dockerImageContract } from "../../contracts/docker/image";
import { dockerMachineContract } from "../../contracts/docker/machine";
import { dockerNetworkContract } from "../../contracts/docker/network";
import { binariesContract } from "../../contracts/host/binaries";
import { etcHostsContract } from "../../contracts/host/etc-hosts";
import { filesContract } from "../../contracts/host/files";
import { firewallContract } from "../../contracts/host/firewall";
import { hostContract } from "../../contracts/host/host";
import { imagesContract } from "../../contracts/host/images";
import { kernelContract } from "../../contracts/host/kernel";
import { leftoversContract } from "../../contracts/host/leftovers";
import { packagesContract } from "../../contracts/host/packages";
import { staticPodContract } from "../../contracts/host/static-pod";
import { unitContract } from "../../contracts/host/unit";
import { daemonSetRolloutContract } from "../../contracts/kube/daemon-set-rollout";
import { encryptionContract } from "../../contracts/kube/encryption";
import { manifestsContract } from "../../contracts/kube/manifests";
import { nodeContract } from "../../contracts/kube/node";
import { rolloutContract } from "../../contracts/kube/rollout";
import { addOnsContract } from "../../contracts/kubeadm/add-ons";
import { apiServerFilesContract } from "../../contracts/kubeadm/api-server-files";
import { clusterConfigurationContract } from "../../contracts/kubeadm/cluster-configuration";
import { controlPlaneContract } from "../../contracts/kubeadm/control-plane";
import { backupAccessContract } from "../../contracts/kubeadm/backup-access";
import { encryptionFileContract } from "../../contracts/kubeadm/encryption-file";
import { kubeletAuthorityContract } from "../../contracts/kubeadm/kubelet-authority";
import { kubeadmEndpointContract } from "../../contracts/kubeadm/endpoint";
import { kubeadmInitContract } from "../../contracts/kubeadm/init";
import { kubeadmJoinContract } from "../../contracts/kubeadm/join";
import { kubeconfigCallContract } from "../../contracts/kubeadm/kubeconfig";
import { kubeletJoinContract } from "../../contracts/kubelet/join";
import { artifactsContract } from "../../contracts/local/artifacts";
import { hostKeyContract } from "../../contracts/local/host-key";
import { kubeconfigContract } from "../../contracts/local/kubeconfig";
import { sshKeyContract } from "../../contracts/local/ssh-key";
import { authorityContract } from "../../contracts/pki/authority";
import { certificateContract } from "../../contracts/pki/certificate";
import { encryptionKeysContract } from "../../contracts/pki/encryption-keys";
import { keyPairContract } from "../../contracts/pki/key-pair";
import { vagrantBoxContract } from "../../contracts/vagrant/box";
import { existingVagrantMachineContract } from "../../contracts/vagrant/existing-machine";
import { vagrantMachineContract } from "../../contracts/vagrant/machine";

/** A contract, and the module that declares it, whose comments describe it. */
export interface DeclaredContract {
  file: string;
  /** Name of the export. */
  name: string;
  contract: Contract;
}

/** Contracts under one heading, each with its module in contracts/. */
type Group = Record<string, Record<string, Contract>>;

/** All contracts by heading, in the order in which a cluster needs them. */
const GROUPS: Record<string, Group> = {
  "The computer that runs Pulumi": {
    "local/artifacts": { artifactsContract },
    "local/ssh-key": { sshKeyContract },
    "local/host-key": { hostKeyContract },
    "local/kubeconfig": { kubeconfigContract },
  },
  "Docker machines": {
    "docker/image": { dockerImageContract },
    "docker/network": { dockerNetworkContract },
    "docker/machine": { dockerMachineContract },
  },
  "Vagrant machines": {
    "vagrant/box": { vagrantBoxContract },
    "vagrant/machine": { vagrantMachineContract },
    "vagrant/existing-machine": { existingVagrantMachineContract },
  },
  "One machine": {
    "host/host": { hostContract },
    "host/packages": { packagesContract },
    "host/kernel": { kernelContract },
    "host/firewall": { firewallContract },
    "host/etc-hosts": { etcHostsContract },
    "host/binaries": { binariesContract },
    "host/files": { filesContract },
    "host/unit": { unitContract },
    "host/images": { imagesContract },
    "host/static-pod": { staticPodContract },
    "host/leftovers": { leftoversContract },
  },
  "All machines": {
    "cluster/preflight": { preflightContract },
    "cluster/roster": { rosterContract },
  },
  "Keys and certificates": {
    "pki/authority": { authorityContract },
    "pki/certificate": { certificateContract },
    "pki/key-pair": { keyPairContract },
    "pki/encryption-keys": { encryptionKeysContract },
  },
  Membership: {
    "kubeadm/init": { kubeadmInitContract },
    "kubeadm/endpoint": { kubeadmEndpointContract },
    "kubeadm/join": { kubeadmJoinContract },
    "kubelet/join": { kubeletJoinContract },
  },
  "Control planes": {
    "kubeadm/control-plane": { controlPlaneContract },
    "kubeadm/api-server-files": { apiServerFilesContract },
    "kubeadm/encryption-file": { encryptionFileContract },
    "kubeadm/backup-access": { backupAccessContract },
    "kubeadm/kubelet-authority": { kubeletAuthorityContract },
    "kube/encryption": { encryptionContract },
    "kubeadm/add-ons": { addOnsContract },
    "kubeadm/cluster-configuration": { clusterConfigurationContract },
  },
  "Kubernetes objects": {
    "kube/node": { nodeContract },
    "kube/manifests": { manifestsContract },
    "kube/rollout": { rolloutContract },
    "kube/daemon-set-rollout": { daemonSetRolloutContract },
  },
  Functions: { "kubeadm/kubeconfig": { kubeconfigCallContract } },
};

/** Returns the contracts of each heading. */
export function contractGroups(): [heading: string, DeclaredContract[]][] {
  return Object.entries(GROUPS).map(([heading, group]) => [heading, Object.entries(group).flatMap(declaredIn)]);
}

function declaredIn([module, contracts]: [string, Record<string, Contract>]): DeclaredContract[] {
  const file = contractModule(module);
  return Object.entries(contracts).map(([name, contract]) => ({ file, name, contract }));
}

/** Returns the path of a module in contracts/. */
export function contractModule(module: string): string {
  return join(projectRoot(), "contracts", `${module}.ts`);
}
