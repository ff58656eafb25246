import { z } from "zod";
import { defineContract } from "../contract";

/** How the machine image is built. */
export const RECIPES = ["auto", "dockerfile", "mmdebstrap"] as const;
export type Recipe = (typeof RECIPES)[number];

/** The image of Docker machines. It is a cache: built once for a Docker host, and kept when the resource is deleted. */
export const dockerImageContract = defineContract({
  type: "kubewright:docker:Image",
  inputs: z.strictObject({
    /**
     * How the image is built: `dockerfile` from a base image, `mmdebstrap` from the Debian host's package sources,
     * `auto` whichever works.
     * @default "auto"
     */
    recipe: z.enum(RECIPES).optional(),
  }),
  outputs: z.object({
    /** Reference of the image: `kubewright/machine:<hash of the recipe>`. */
    ref: z.string(),
    /** Id of the image: `sha256:...`. */
    imageId: z.string(),
  }),
});
