import { z } from "zod";
import { defineContract } from "../contract";
import { onMachine } from "../on-machine";
import { keySetFields } from "../pki/encryption-keys";

/**
 * The file from which a control plane's API server reads its encryption keys. With a new key the API server first only
 * reads: `kube:Encryption` lets all API servers write with it, once each of them knows it.
 */
export const encryptionFileContract = defineContract({
  type: "kubewright:kubeadm:EncryptionFile",
  inputs: z.strictObject({ ...onMachine, ...keySetFields }),
  outputs: z.object({}),
});
