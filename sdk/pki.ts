import type * as pulumi from "@pulumi/pulumi";
import { authorityContract } from "../contracts/pki/authority";
import { certificateContract } from "../contracts/pki/certificate";
import { keyPairContract } from "../contracts/pki/key-pair";
import { type Args, resourceClass } from "./resource";

export type AuthorityArgs = Args<typeof authorityContract>;

/**
 * A certificate authority whose key is in the state only. A change replaces it and every certificate that it signed.
 */
export class Authority extends resourceClass(authorityContract, { deleteBeforeReplace: false }) {}

export type CertificateArgs = Args<typeof certificateContract>;

/** A private key and its certificate, which is renewed by `pulumi up` before it expires. */
export class Certificate extends resourceClass(certificateContract, { deleteBeforeReplace: false }) {}

/** A key pair without a certificate, with which the tokens of service accounts are signed. */
export class KeyPair extends resourceClass(keyPairContract, { deleteBeforeReplace: false }) {
  constructor(name: string, options?: pulumi.CustomResourceOptions) {
    super(name, {}, options);
  }
}
