import { z } from "zod";
import { defineContract } from "../contract";
import { secret } from "../secret";

/**
 * A certificate authority whose key is in the state only. A change replaces it and every certificate that it signed.
 */
export const authorityContract = defineContract({
  type: "kubewright:pki:Authority",
  inputs: z.strictObject({
    /** Common name of the certificate. */
    commonName: z.string().min(1),
    /** Days for which the certificate is valid. */
    lifetimeDays: z.int().positive(),
  }),
  outputs: z.object({
    /** The CA's certificate, PEM. */
    certificate: z.string(),
    /** The CA's private key, PEM. */
    key: secret(z.string()),
    /** `sha256:<hex>` of the CA's public key, which a joining node verifies. */
    hash: z.string(),
  }),
});
