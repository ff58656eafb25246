import { z } from "zod";
import { defineContract } from "../contract";
import { secret } from "../secret";

/**
 * An ed25519 key pair for one cluster. The private key is a secret of the state, so that every computer with access to
 * the state can log in to the machines. Connections read it from its file, which is written from the state on a
 * computer that does not have it.
 */
export const sshKeyContract = defineContract({
  type: "kubewright:local:SshKey",
  inputs: z.strictObject({
    /**
     * Path of the private key, mode 0600: relative to the folder of the project, absolute, or with `~/` for the home
     * folder. The public key is beside it, with the suffix `.pub`. A change moves the files; the key stays the same.
     */
    path: z.string().min(1),
    /** Comment of the public key. */
    comment: z.string(),
  }),
  outputs: z.object({
    /** The private key, in OpenSSH's format. Absent in states of version 1. */
    privateKey: secret(z.string()),
    /** The public key: `ssh-ed25519 AAAA... comment`. */
    publicKey: z.string(),
  }),
});
