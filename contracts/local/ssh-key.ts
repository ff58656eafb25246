import { isAbsolute } from "node:path";
import { z } from "zod";
import { defineContract } from "../contract";

/**
 * An ed25519 key pair for one cluster, as files on the computer that runs Pulumi. The private key is not in the state.
 */
export const sshKeyContract = defineContract({
  type: "kubewright:local:SshKey",
  inputs: z.strictObject({
    /**
     * Absolute path of the private key, mode 0600. The public key is beside it, with the suffix `.pub`. A change
     * replaces the resource.
     */
    path: z.string().refine(isAbsolute, "the path of a key is absolute"),
    /** Comment of the public key. */
    comment: z.string(),
  }),
  outputs: z.object({
    /** The public key: `ssh-ed25519 AAAA... comment`. */
    publicKey: z.string(),
  }),
});
