import { z } from "zod";
import { VAGRANT_PROVIDERS } from "../../render/vagrantfile";
import { defineContract } from "../contract";
import { hostnameSchema } from "../hostname";

/** Outputs of every machine that Vagrant runs. */
export const vagrantMachineOutputs = z.object({
  /** The provider's id of the machine. */
  machineId: z.string(),
  /** Where the computer that runs Pulumi reaches SSH: the private address, or the port that Vagrant forwards. */
  address: z.string(),
  /** TCP port of SSH at `address`. */
  port: z.number(),
  /** User to log in as: `vagrant` in most boxes. */
  user: z.string(),
  /**
   * File with the private key that Vagrant installed in place of its well-known one: relative to the folder of the
   * project, absolute, or with `~/` for the home folder.
   */
  privateKeyPath: z.string(),
  /** The public host key, read through Vagrant, so that the first connection is already verified. */
  hostKey: z.string(),
  /** IPv4 address at which the other machines reach it. */
  privateAddress: z.string(),
});

/** A machine of the Vagrantfile that Kubewright writes for the stack. A change of its definition replaces it. */
export const vagrantMachineContract = defineContract({
  type: "kubewright:vagrant:Machine",
  inputs: z.strictObject({
    /**
     * Folder of the Vagrantfile, on the computer that runs Pulumi: relative to the folder of the project, absolute, or
     * with `~/` for the home folder.
     */
    folder: z.string().min(1),
    /** Host name of the machine. */
    hostname: hostnameSchema,
    /** The Vagrant provider. */
    provider: z.enum(VAGRANT_PROVIDERS),
    /** Name of the box: `fedora/41-cloud-base`. */
    box: z.string().optional(),
    /**
     * Version of the box.
     * @default the newest
     */
    boxVersion: z.string().optional(),
    /** With the docker provider, instead of `box`: reference of a `DockerImage`. */
    image: z.string().optional(),
    /** IPv4 CIDR of the private network. */
    subnet: z.cidrv4("must be an IPv4 CIDR, such as 192.168.56.0/24"),
    /** Position in the private network, from 0. A recreated machine gets the same address. */
    index: z.int().min(0, "must be 0 or more"),
    /**
     * Number of CPUs.
     * @default the box's
     */
    cpus: z.int().positive().optional(),
    /**
     * Memory in MiB, at least 128.
     * @default the box's
     */
    memoryMiB: z.int().min(128, "must be at least 128 (MiB)").optional(),
    /**
     * Size of the disk in GiB.
     * @default the box's
     */
    diskGiB: z.int().positive().optional(),
    /**
     * Whether the Vagrantfile's folder is mounted at /vagrant in the machine.
     * @default false
     */
    syncedFolder: z.boolean().optional(),
    /**
     * Always true in programs. A refresh sets it to false if the machine is halted, so that the next `pulumi up` starts
     * it.
     */
    running: z.boolean().optional(),
  }),
  outputs: vagrantMachineOutputs.extend({
    /** Host name of the computer whose Vagrant has the machine. Absent in states of earlier versions. */
    computer: z.string().optional(),
  }),
});
