import { z } from "zod";
import { defineContract } from "../contract";
import { secret } from "../secret";

/**
 * An SSH host key that exists before its machine does: the machine gets it at its first boot, so its first connection
 * is verified.
 */
export const hostKeyContract = defineContract({
  type: "kubewright:local:HostKey",
  inputs: z.strictObject({
    /** Name of the machine. A change replaces the resource. */
    machine: z.string().min(1),
  }),
  outputs: z.object({
    /** The private key, in OpenSSH's format. */
    privateKey: secret(z.string()),
    /** The public key: `ssh-ed25519 AAAA...`. */
    publicKey: z.string(),
  }),
});
