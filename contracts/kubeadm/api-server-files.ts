import { z } from "zod";
import { defineContract } from "../contract";
import { onMachine } from "../on-machine";

/**
 * Files that the flags of a control plane's API server name, such as an audit policy. A file that the API server still
 * uses is kept until another change.
 */
export const apiServerFilesContract = defineContract({
  type: "kubewright:kubeadm:ApiServerFiles",
  inputs: z.strictObject({
    ...onMachine,
    /** Texts by path. Another content has another path. */
    files: z.record(z.string().min(1), z.string()),
  }),
  outputs: z.object({
    /** Paths of all files that are on the machine, with those of earlier changes. */
    paths: z.array(z.string()),
  }),
});
