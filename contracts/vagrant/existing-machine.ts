import { z } from "zod";
import { defineContract } from "../contract";
import { vagrantMachineOutputs } from "./machine";

/** A running machine of the user's own Vagrantfile. It is read, and never started, changed or destroyed. */
export const existingVagrantMachineContract = defineContract({
  type: "kubewright:vagrant:ExistingMachine",
  inputs: z.strictObject({
    /**
     * Path of the Vagrantfile, on the computer that runs Pulumi: relative to the folder of the project, absolute, or
     * with `~/` for the home folder.
     */
    vagrantfile: z.string().min(1),
    /** Name of the machine in the Vagrantfile. */
    machine: z.string().min(1),
    /**
     * IPv4 CIDR of the network in which the nodes reach each other.
     * @default the network of the first interface that is not Vagrant's own
     */
    subnet: z.cidrv4("must be an IPv4 CIDR, such as 192.168.56.0/24").optional(),
  }),
  outputs: vagrantMachineOutputs,
});
