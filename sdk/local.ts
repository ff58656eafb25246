import * as pulumi from "@pulumi/pulumi";
import { optional } from "../common/optional";
import { portablePath } from "../common/portable-path";
import type { Outputs } from "../contracts/contract";
import { kubeconfigCallContract } from "../contracts/kubeadm/kubeconfig";
import { artifactsContract } from "../contracts/local/artifacts";
import { hostKeyContract } from "../contracts/local/host-key";
import { kubeconfigContract } from "../contracts/local/kubeconfig";
import { sshKeyContract } from "../contracts/local/ssh-key";
import type { ConnectionArgs } from "./connection";
import { type Args, resourceClass } from "./resource";

export type ArtifactsArgs = Args<typeof artifactsContract>;

/**
 * Binaries and container images in the user's cache: downloaded and verified, or built.
 * @example
 * const artifacts = new Artifacts("artifacts", { source: "auto", kubernetes: "1.36.3", arch: "amd64" });
 */
export class Artifacts extends resourceClass(artifactsContract) {}

export type SshKeyArgs = Args<typeof sshKeyContract>;

/**
 * An ed25519 key pair for one cluster: a secret of the state, with a copy in files on the computer that runs Pulumi.
 */
export class SshKey extends resourceClass(sshKeyContract) {}

export type HostKeyArgs = Args<typeof hostKeyContract>;

/** An SSH host key that exists before its machine does, so that the machine's first connection is verified. */
export class HostKey extends resourceClass(hostKeyContract) {}

/** How to read a cluster's administrator kubeconfig: from its control planes. */
export interface ClusterAccess {
  /** Connections to the control planes. The kubeconfig is read from the first one whose API server is ready. */
  controlPlanes: ConnectionArgs[];
  /**
   * Address of the API server, `host:port`, that the kubeconfig names when it is read from the control plane at the
   * same position.
   * @default the one that the control plane's own kubeconfig names
   */
  endpoints?: pulumi.Input<string>[];
  /** `sha256:<hex>` of the public key of the cluster's CA. */
  caCertHash: pulumi.Input<string>;
  /** Id of the backup from which the cluster was last restored. */
  restoredFrom?: pulumi.Input<string | undefined>;
  /** Resources that must exist before the kubeconfig can be read. */
  after: pulumi.Resource[];
  /** Resources that renew the administrator's certificate. A kubeconfig file is written after them. */
  renewedBy?: pulumi.Resource[];
}

export interface KubeconfigArgs {
  /**
   * Path of the file. The state records it without the folders of this computer: relative to the folder of the project,
   * or with `~/` for the home folder. A change replaces the resource.
   */
  path: pulumi.Input<string>;
  /** The cluster, from `Cluster.access`. */
  of: ClusterAccess;
}

/**
 * The administrator's access to a cluster in a kubeconfig file on the computer that runs Pulumi. The cluster is added
 * to an existing kubeconfig; a new file has mode 0600. The content goes from the machine to the file and is not in the
 * state.
 * @example
 * new Kubeconfig("kubeconfig", { path: join(process.cwd(), "kubeconfig"), of: cluster.access });
 */
export class Kubeconfig extends resourceClass(kubeconfigContract) {
  constructor(name: string, { path, of }: KubeconfigArgs, options?: pulumi.CustomResourceOptions) {
    const { controlPlanes, endpoints, caCertHash, restoredFrom, after, renewedBy = [] } = of;
    const inputs = {
      path: pulumi.output(path).apply((file) => portablePath(file)),
      controlPlanes,
      caCertHash,
      ...optional({ endpoints, restoredFrom }),
    };
    super(name, inputs, { dependsOn: [...after, ...renewedBy], ...options });
  }
}

/**
 * Returns the administrator's kubeconfig as a secret output. It enters the state of any resource that it is given to.
 */
export function kubeconfigOf({ controlPlanes, endpoints, caCertHash, after }: ClusterAccess): pulumi.Output<string> {
  const { kubeconfig } = pulumi.runtime.invokeOutput<Outputs<typeof kubeconfigCallContract>>(
    kubeconfigCallContract.type,
    { controlPlanes, caCertHash, ...optional({ endpoints }) },
    { dependsOn: after },
  );
  return pulumi.secret(kubeconfig);
}
