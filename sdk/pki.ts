import type * as pulumi from "@pulumi/pulumi";
import { authorityContract } from "../contracts/pki/authority";
import { certificateContract } from "../contracts/pki/certificate";
import { encryptionKeysContract } from "../contracts/pki/encryption-keys";
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

export type EncryptionKeysArgs = Args<typeof encryptionKeysContract>;

/** Keys by which the API servers encrypt Secrets in etcd. A key is never removed: old backups need it. */
export class EncryptionKeys extends resourceClass(encryptionKeysContract, { deleteBeforeReplace: false }) {}
