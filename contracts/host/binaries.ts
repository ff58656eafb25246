import { z } from "zod";
import { defineContract } from "../contract";
import { filePathSchema, sha256Schema } from "../files";
import { onMachine } from "../on-machine";

/**
 * Executables on a machine, owned by root, mode 0755: copied from the computer that runs Pulumi, or downloaded by the
 * machine from where that computer got them.
 */
export const binariesContract = defineContract({
  type: "kubewright:host:Binaries",
  inputs: z.strictObject({
    ...onMachine,
    /** Path on the machine to the SHA-256 of the executable. */
    files: z.record(filePathSchema, sha256Schema),
    /** SHA-256 to the path of the executable on the computer that runs Pulumi. */
    sources: z.record(sha256Schema, z.string()),
    /**
     * Executables that another resource puts into place, such as the kubelet of an upgrade after the node is drained.
     * While the file `whileExists` exists, a changed one is written beside the current one, with the suffix `.next`.
     */
    staged: z
      .strictObject({
        /** Paths of the executables. */
        paths: z.array(filePathSchema),
        /** File that exists while the executables are in use. */
        whileExists: filePathSchema,
      })
      .optional(),
  }),
  outputs: z.object({}),
});
