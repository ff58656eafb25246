import { z } from "zod";
import { defineContract } from "../contract";
import { secret } from "../secret";

/**
 * A private key and its certificate. `pulumi up` renews the certificate in the last 30 days, or in the last third of a
 * shorter lifetime.
 */
export const certificateContract = defineContract({
  type: "kubewright:pki:Certificate",
  inputs: z.strictObject({
    /** Certificate of the authority that signs, PEM. */
    authorityCertificate: z.string(),
    /** Private key of the authority that signs, PEM. */
    authorityKey: secret(z.string()),
    /** Common name: for a client of the API server, the user. */
    commonName: z.string().min(1),
    /** Organizations: for a client of the API server, the user's groups. */
    organizations: z.array(z.string()),
    /** Whether the certificate is for a server, a client or both. */
    usages: z.array(z.enum(["server", "client"])).min(1, "a certificate is for a server, a client or both"),
    /** DNS names in the certificate. */
    dnsNames: z.array(z.string()),
    /** IP addresses in the certificate. */
    ipAddresses: z.array(z.string()),
    /** Days for which the certificate is valid. */
    lifetimeDays: z.int().positive(),
  }),
  outputs: z.object({
    /** The certificate, PEM. */
    certificate: z.string(),
    /** Its private key, PEM. */
    key: secret(z.string()),
    /** When the certificate expires, ISO 8601. */
    notAfter: z.string(),
  }),
});
