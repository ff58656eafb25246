import * as pulumi from "@pulumi/pulumi";
import type { Usage } from "../render/components/pki";

export interface AuthorityArgs {
  commonName: string;
  lifetimeDays: number;
}

/** A certificate authority; its key is a secret of the state. */
export class Authority extends pulumi.CustomResource {
  /** PEM. */
  declare readonly certificate: pulumi.Output<string>;
  declare readonly key: pulumi.Output<string>;
  /** `sha256:<hex>` of its public key. */
  declare readonly hash: pulumi.Output<string>;
  constructor(name: string, args: AuthorityArgs, options?: pulumi.CustomResourceOptions) {
    super(
      "kubewright:pki:Authority",
      name,
      { certificate: undefined, key: undefined, hash: undefined, ...args },
      options,
    );
  }
}

export interface CertificateArgs {
  authorityCertificate: pulumi.Input<string>;
  authorityKey: pulumi.Input<string>;
  commonName: pulumi.Input<string>;
  organizations: string[];
  usages: Usage[];
  dnsNames: pulumi.Input<string[]>;
  ipAddresses: pulumi.Input<string[]>;
  lifetimeDays: number;
}

/** A key, and a certificate for it that is renewed before it ends. */
export class Certificate extends pulumi.CustomResource {
  /** PEM. */
  declare readonly certificate: pulumi.Output<string>;
  declare readonly key: pulumi.Output<string>;
  constructor(name: string, args: CertificateArgs, options?: pulumi.CustomResourceOptions) {
    super(
      "kubewright:pki:Certificate",
      name,
      { certificate: undefined, key: undefined, notAfter: undefined, ...args },
      options,
    );
  }
}

/** What service accounts' tokens are signed with. */
export class KeyPair extends pulumi.CustomResource {
  /** PEM. */
  declare readonly publicKey: pulumi.Output<string>;
  declare readonly privateKey: pulumi.Output<string>;
  constructor(name: string, options?: pulumi.CustomResourceOptions) {
    super("kubewright:pki:KeyPair", name, { publicKey: undefined, privateKey: undefined }, options);
  }
}
