import { z } from "zod";
import { defineContract } from "../contract";
import { textFilesSchema } from "../files";
import { onMachine } from "../on-machine";
import { secret } from "../secret";
import { etcdutlSchema } from "./etcdutl";

/**
 * What a control plane needs to back up the cluster itself: restic, etcdutl, and the files with the password and the
 * keys of the repository. restic is built from its Go module on the computer that runs Pulumi, or taken from there.
 */
export const backupAccessContract = defineContract({
  type: "kubewright:kubeadm:BackupAccess",
  inputs: z.strictObject({
    ...onMachine,
    /** Files with the password and the keys, by their absolute paths, owned by root. */
    files: secret(textFilesSchema),
    /** etcdutl on the computer that runs Pulumi, which proves snapshots. */
    etcdutl: etcdutlSchema,
  }),
  outputs: z.object({}),
});
