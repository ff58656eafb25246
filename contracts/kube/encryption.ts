import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";
import { keySetFields } from "../pki/encryption-keys";

/**
 * Encryption of the Secrets in etcd. Every API server writes with the newest key, a new Secret can be read through each
 * of them, and all Secrets that were stored before are written again.
 */
export const encryptionContract = defineContract({
  type: "kubewright:kube:Encryption",
  inputs: z.strictObject({
    /** Connections to all control planes. */
    controlPlanes: controlPlanesSchema,
    /** `sha256:<hex>` of the public key of the cluster's CA. A change replaces the resource. */
    caCertHash: z.string(),
    ...keySetFields,
    /** Path of the API servers' encryption configuration. */
    path: z.string().min(1),
    /** Set by a refresh if an API server writes in another way, so that the next `pulumi up` repairs it. */
    problem: z.string().optional(),
  }),
  outputs: z.object({}),
});
