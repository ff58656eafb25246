import { optional } from "../../common/optional";
import type { KeySet } from "../../render/encryption";
import { Encryption, EncryptionFile } from "../../sdk/kubernetes";
import { EncryptionKeys } from "../../sdk/pki";
import { apiAccess, inCluster } from "./cluster-handle";
import type { ClusterMember } from "./member";
import type { ClusterScope, MachineScope } from "./step";

type Keys = EncryptionKeys["keys"];

/** Whether the cluster's Secrets are encrypted, or have been. */
export function hasEncryption({ plan }: ClusterMember): boolean {
  return plan.encryption !== undefined;
}

/** Creates the keys, which are secrets of the state and the same on all control planes. */
export function createEncryptionKeys({ member: { plan } }: MachineScope): EncryptionKeys {
  const { provider, generation } = encryptionOf(plan);
  // An adoption reads the keys of a cluster of kubeadm.
  const controlPlane = plan.components === undefined ? plan.members[0].connection : undefined;
  const args = { provider, generation, ...optional({ controlPlane }) };
  return new EncryptionKeys(`${plan.name}-encryption-keys`, args, { parent: plan.cluster });
}

/** Writes the keys for the API server of a control plane. */
export function writeEncryptionFile({ member, after }: MachineScope, keys: Keys): EncryptionFile {
  return new EncryptionFile(
    member.resourceName("encryption"),
    { ...member.onMachine, provider: encryptionOf(member.plan).provider, keys },
    member.options(member.groups.node, after),
  );
}

/** Encrypts the Secrets, once every API server has the keys. */
export function encryptSecrets({ member, after, cluster }: ClusterScope, keys: Keys, path: string): Encryption {
  const { plan } = member;
  return new Encryption(
    `${plan.name}-encryption`,
    { ...apiAccess(cluster), provider: encryptionOf(plan).provider, keys, path },
    inCluster(cluster, member.groups.controlPlane?.() ?? member.groups.node, after),
  );
}

function encryptionOf({ name, encryption }: ClusterMember["plan"]): {
  provider: KeySet["provider"];
  generation: number;
} {
  if (encryption) return encryption;
  throw new Error(`cluster ${name} has no encryption`);
}
