import { z } from "zod";
import { defineContract } from "../contract";
import { secret } from "../secret";

/** A key pair without a certificate, with which the tokens of service accounts are signed. */
export const keyPairContract = defineContract({
  type: "kubewright:pki:KeyPair",
  inputs: z.strictObject({}),
  outputs: z.object({
    /** The public key, PEM. */
    publicKey: z.string(),
    /** The private key, PEM. */
    privateKey: secret(z.string()),
  }),
});
