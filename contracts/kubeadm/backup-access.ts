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
    /** The repository's address, as restic reads it on the machine: `sftp:user@host:/path` or `s3:https://...`. */
    repository: z.string(),
    /** Options of restic that name the files. */
    options: z.array(z.string()),
    /**
     * Whether the machine creates a repository that does not exist, once. Later, a repository that is missing is an
     * error, because its disk may not be mounted.
     */
    creates: z.boolean(),
    /** etcdutl on the computer that runs Pulumi, which proves snapshots. */
    etcdutl: etcdutlSchema,
  }),
  outputs: z.object({}),
});
