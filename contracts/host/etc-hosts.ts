import { z } from "zod";
import { defineContract } from "../contract";
import { onMachine } from "../on-machine";

/** The cluster's machines by name in a machine's /etc/hosts, in a block of its own. Other lines are left alone. */
export const etcHostsContract = defineContract({
  type: "kubewright:host:Hosts",
  inputs: z.strictObject({
    ...onMachine,
    /** Host name to IP address. Entries whose address is a DNS name are left out. */
    entries: z.record(z.string(), z.string()),
  }),
  outputs: z.object({}),
});
