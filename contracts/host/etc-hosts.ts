import { z } from "zod";
import { defineContract } from "../contract";
import { onMachine } from "../on-machine";

/** Names and addresses of the cluster's machines, in a separate block of a machine's /etc/hosts. */
export const etcHostsContract = defineContract({
  type: "kubewright:host:Hosts",
  inputs: z.strictObject({
    ...onMachine,
    /** Host name to IP address. Entries whose address is a DNS name are left out. */
    entries: z.record(z.string(), z.string()),
  }),
  outputs: z.object({}),
});
