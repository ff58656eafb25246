import * as pulumi from "@pulumi/pulumi";
import type { ArtifactSet } from "../artifacts";
import type { Runtime } from "../common/runtime";
import type { ConnectionArgs } from "./connection";
import { inPlace } from "./in-place";

export interface ArtifactsArgs {
  source: string;
  kubernetes: string;
  arch: pulumi.Input<"amd64" | "arm64">;
  /** Default containerd. */
  runtime?: Runtime;
  extras?: boolean;
}

/** Binaries and images in this user's cache. */
export class Artifacts extends pulumi.CustomResource {
  declare readonly resolvedSource: pulumi.Output<string>;
  declare readonly binaries: pulumi.Output<ArtifactSet["binaries"]>;
  declare readonly images: pulumi.Output<ArtifactSet["images"]>;
  declare readonly refs: pulumi.Output<ArtifactSet["refs"]>;
  constructor(name: string, args: ArtifactsArgs, options?: pulumi.CustomResourceOptions) {
    super(
      "kubewright:local:Artifacts",
      name,
      { resolvedSource: undefined, binaries: undefined, images: undefined, refs: undefined, ...args },
      inPlace(options),
    );
  }
}

/** An ed25519 key pair made for one cluster. */
export class SshKey extends pulumi.CustomResource {
  declare readonly path: pulumi.Output<string>;
  declare readonly publicKey: pulumi.Output<string>;
  constructor(name: string, args: { path: string; comment: string }, options?: pulumi.CustomResourceOptions) {
    super("kubewright:local:SshKey", name, { publicKey: undefined, ...args }, inPlace(options));
  }
}

/** The key by which a machine is known, made before the machine is. */
export class HostKey extends pulumi.CustomResource {
  /** In OpenSSH's form, a secret. */
  declare readonly privateKey: pulumi.Output<string>;
  declare readonly publicKey: pulumi.Output<string>;
  constructor(name: string, args: { machine: string }, options?: pulumi.CustomResourceOptions) {
    super("kubewright:local:HostKey", name, { privateKey: undefined, publicKey: undefined, ...args }, inPlace(options));
  }
}

/** How to be a cluster's administrator: by its control planes' own kubeconfig. */
export interface ClusterAccess {
  controlPlanes: ConnectionArgs[];
  caCertHash: pulumi.Input<string>;
  /** What must be there first. */
  after: pulumi.Resource[];
}

/** The administrator's kubeconfig as a file on the controller, mode 0600. What is in it goes from the machine to the file: it is not in the state. */
export class Kubeconfig extends pulumi.CustomResource {
  declare readonly path: pulumi.Output<string>;
  constructor(name: string, args: { path: string; of: ClusterAccess }, options?: pulumi.CustomResourceOptions) {
    const { controlPlanes, caCertHash, after } = args.of;
    super(
      "kubewright:local:Kubeconfig",
      name,
      { sha256: undefined, path: args.path, controlPlanes, caCertHash },
      inPlace({ dependsOn: after, ...options }),
    );
  }
}

/** The administrator's kubeconfig as a value: a secret, which is in the state wherever a program gives it to. */
export function kubeconfigOf({ controlPlanes, caCertHash, after }: ClusterAccess): pulumi.Output<string> {
  const read = pulumi.runtime.invokeOutput<{ kubeconfig: string }>(
    "kubewright:kubeadm:kubeconfig",
    { controlPlanes, caCertHash },
    { dependsOn: after },
  );
  return pulumi.secret(read.kubeconfig);
}
