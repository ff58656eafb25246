import { z } from "zod";
import { ENCRYPTION_PROVIDERS } from "../../render/encryption";
import { connectionSchema } from "../connection";
import { defineContract } from "../contract";
import { secret } from "../secret";

/** A key by which the API servers encrypt Secrets in etcd. */
export const encryptionKeySchema = z.strictObject({
  /** Name by which etcd's values refer to the key. */
  name: z.string().min(1),
  /** Encryption provider of the key. */
  provider: z.enum(["secretbox", "aesgcm"]),
  /** 32 random bytes, base64. */
  secret: secret(z.string().min(1)),
});

/** Keys and provider, as the resources that use them have them. */
export const keySetFields = {
  /** How Secrets are written: with the newest key, or as plain text (`identity`). */
  provider: z.enum(ENCRYPTION_PROVIDERS),
  /** All keys, the newest first. */
  keys: secret(z.array(encryptionKeySchema)),
};

/** Keys by which Secrets are encrypted in etcd, kept in the state. A key is never removed: old backups need it. */
export const encryptionKeysContract = defineContract({
  type: "kubewright:pki:EncryptionKeys",
  inputs: z.strictObject({
    /** Provider of new keys. Another provider adds a key. */
    provider: z.enum(ENCRYPTION_PROVIDERS),
    /** A higher number adds a key. */
    generation: z.int().positive(),
    /** Connection to a control plane, from which an adoption reads the keys. A change of it changes nothing. */
    controlPlane: connectionSchema.optional(),
  }),
  outputs: z.object({
    /** All keys, the newest first. */
    keys: secret(z.array(encryptionKeySchema)),
  }),
});
