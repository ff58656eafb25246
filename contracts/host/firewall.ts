import { z } from "zod";
import { defineContract } from "../contract";
import { onMachine } from "../on-machine";

/** Openings in the firewall that is active on a machine: firewalld or ufw. Does nothing where neither is active. */
export const firewallContract = defineContract({
  type: "kubewright:host:Firewall",
  inputs: z.strictObject({
    ...onMachine,
    /** Ports to open: `6443/tcp`, `30000-32767/udp`. */
    ports: z.array(z.string().regex(/^\d+(-\d+)?\/(tcp|udp)$/, "write it like 6443/tcp or 30000-32767/udp")),
    /** IPv4 CIDRs of pods and services whose traffic is accepted. */
    ranges: z.array(z.cidrv4("must be an IPv4 CIDR, such as 10.244.0.0/16")),
  }),
  outputs: z.object({
    /** The active firewall: `firewalld`, `ufw` or `none`. */
    firewall: z.string(),
  }),
});
