import { z } from "zod";
import { defineContract } from "../contract";
import { hostnameSchema } from "../hostname";

/** A Docker container that serves as a machine, with systemd, sshd and its own IP address. */
export const dockerMachineContract = defineContract({
  type: "kubewright:docker:Machine",
  inputs: z
    .strictObject({
      /** Label of everything that belongs to the stack. A change replaces the machine. */
      stack: z.string().min(1),
      /** Host name, unique within the stack. A change replaces the machine. */
      hostname: hostnameSchema,
      /**
       * Reference of the image, an output of `DockerImage`. A change concerns new machines only: an existing machine
       * keeps its image until it is replaced, for example by `npm run node:replace`.
       */
      image: z.string().min(1),
      /** Name of the network, an output of `DockerNetwork`. A change replaces the machine. */
      network: z.string().min(1),
      /** IPv4 address in the network's subnet. Set either this or `index`. A change replaces the machine. */
      fixedAddress: z.ipv4("must be an IPv4 address").optional(),
      /**
       * Position in the network's subnet, from 0. A recreated machine gets the same address. Set either this or
       * `fixedAddress`.
       */
      index: z.int().min(0, "must be 0 or more").optional(),
      /** Public key that may log in as root and as `admin`, who has sudo. */
      authorizedKey: z.string().regex(/^(ssh|ecdsa|sk)-\S+ \S+/, "must be a public key, as in an authorized_keys file"),
      /**
       * Number of CPUs.
       * @default the Docker host's
       */
      cpus: z.number().positive("must be more than 0").optional(),
      /**
       * Memory in MiB, at least 128.
       * @default the Docker host's
       */
      memory: z.int().min(128, "must be at least 128 (MiB)").optional(),
      /**
       * Always true in programs. A refresh sets it to false if the machine is stopped, so that the next `pulumi up`
       * starts it.
       */
      running: z.boolean().optional(),
    })
    .refine(({ fixedAddress, index }) => (fixedAddress === undefined) !== (index === undefined), {
      path: ["fixedAddress"],
      error: "give either `fixedAddress` or `index`",
    }),
  outputs: z.object({
    /** Id of the container. */
    containerId: z.string(),
    /**
     * Where the computer that runs Pulumi reaches SSH: the machine's own address, or 127.0.0.1 where that is
     * unreachable (Docker Desktop).
     */
    address: z.string(),
    /** TCP port of SSH at `address`. */
    port: z.number(),
    /** User to log in as: `root`. */
    user: z.string(),
    /** The public host key, read through Docker, so that the first connection is already verified. */
    hostKey: z.string(),
    /** IPv4 address at which the other machines reach it. */
    privateAddress: z.string(),
    /** `host:port` at which the computer that runs Pulumi reaches port 6443 of the machine. */
    apiEndpoint: z.string(),
  }),
});
