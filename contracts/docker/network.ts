import { z } from "zod";
import { defineContract } from "../contract";

const cidrSchema = z.union([z.cidrv4(), z.cidrv6()], "must be a CIDR, such as 10.244.0.0/16");

/** A Docker bridge network for the machines of one stack. */
export const dockerNetworkContract = defineContract({
  type: "kubewright:docker:Network",
  inputs: z.strictObject({
    /** Label of everything that belongs to the stack. A change replaces the resource. */
    stack: z.string().min(1),
    /**
     * IPv4 CIDR of the network. A change replaces the resource.
     * @default a free /24
     */
    subnet: z.cidrv4("must be an IPv4 CIDR, such as 172.30.0.0/24").optional(),
    /** CIDRs that the network must not overlap: those of pods and services. */
    avoid: z.array(cidrSchema).optional(),
  }),
  outputs: z.object({
    /** Name of the Docker network. */
    networkName: z.string(),
    /** IPv4 CIDR of the network. */
    actualSubnet: z.string(),
    /** IPv4 address of the gateway. */
    gateway: z.string(),
  }),
});
