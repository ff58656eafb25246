import { z } from "zod";
import { defineContract } from "../contract";

/**
 * Records which machines were members when the last run ended, so that the program can distinguish members, which are
 * updated one after the other, from new machines, which are created in parallel.
 */
export const rosterContract = defineContract({
  type: "kubewright:cluster:Roster",
  inputs: z.strictObject({
    /** Names of the members. */
    members: z.array(z.string()),
    /** Identifies this run. A change of it alone is not a change of the resource. */
    run: z.string().min(1),
  }),
  outputs: z.object({
    /** Name of each member to the run that added it. Absent in states of older versions. */
    since: z.record(z.string(), z.string()).optional(),
  }),
});
