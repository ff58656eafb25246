import * as pulumi from "@pulumi/pulumi";
import type { ArtifactSet } from "../../artifacts";
import type { Runtime } from "../../common/runtime";
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
    super("kubewright:local:Artifacts", name, { resolvedSource: undefined, binaries: undefined, images: undefined, refs: undefined, ...args }, inPlace(options));
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

/** The administrator's kubeconfig as a file on the controller. */
export class Kubeconfig extends pulumi.CustomResource {
  declare readonly path: pulumi.Output<string>;
  constructor(name: string, args: { path: string; content: pulumi.Input<string> }, options?: pulumi.CustomResourceOptions) {
    super("kubewright:local:Kubeconfig", name, args, inPlace(options));
  }
}
