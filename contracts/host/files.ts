import { z } from "zod";
import { defineContract } from "../contract";
import { textFilesSchema } from "../files";
import { onMachine } from "../on-machine";

/** Text files on a machine, owned by root. */
export const filesContract = defineContract({
  type: "kubewright:host:Files",
  inputs: z.strictObject({
    ...onMachine,
    /** The files by their absolute paths. */
    files: textFilesSchema,
  }),
  outputs: z.object({}),
});
