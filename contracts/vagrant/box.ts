import { z } from "zod";
import { VAGRANT_PROVIDERS } from "../../render/vagrantfile";
import { defineContract } from "../contract";

/** A Vagrant box on the computer that runs Pulumi. It is a cache: added once, and kept when the resource is deleted. */
export const vagrantBoxContract = defineContract({
  type: "kubewright:vagrant:Box",
  inputs: z
    .strictObject({
      /** The Vagrant provider. */
      provider: z.enum(VAGRANT_PROVIDERS),
      /** Name of the box: `fedora/41-cloud-base`. */
      box: z.string().optional(),
      /**
       * Version of the box.
       * @default the newest
       */
      version: z.string().optional(),
      /** With the docker provider, instead of `box`: reference of the `DockerImage` that the box contains. */
      image: z.string().optional(),
    })
    .refine(({ provider, box, image }) => (provider === "docker" ? image : box) !== undefined, {
      path: ["box"],
      error: "set the box (with the docker provider, the image)",
    }),
  outputs: z.object({
    /** The image of the machines: the name of the box, or with the docker provider the reference of the image. */
    ref: z.string(),
  }),
});
