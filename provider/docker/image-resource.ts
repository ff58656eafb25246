import { z } from "zod";
import type { Handler } from "../rpc/handler";
import { ensureDaemon, findDaemon } from "./daemon";
import { ensureImage, findImageId } from "./image";
import { RECIPES } from "./recipe";

interface Inputs {
  /** `auto` builds from a base image if it can be pulled, else from the host's packages. @default auto */
  recipe?: (typeof RECIPES)[number] | undefined;
}

interface Outputs {
  /** `kubewright/machine:<hash of the recipe>` */
  ref: string;
  /** `sha256:...` */
  imageId: string;
}

/** The machine image. Docker keeps it as a cache when the resource is deleted. */
export const imageResource: Handler<Inputs, Outputs> = {
  schema: z.strictObject({ recipe: z.enum(RECIPES).optional() }),
  outputs: ["ref", "imageId"],
  // Deleting does nothing, so the order does not matter.
  deleteBeforeReplace: false,

  async create({ status, signal }, { recipe = "auto" }) {
    await ensureDaemon(status, signal);
    const { ref, id } = await ensureImage(recipe, status, signal);
    return { id: ref, outputs: { ref, imageId: id } };
  },

  async read({ warn, signal }, id, old) {
    if (!(await findDaemon(signal))) {
      warn("Docker does not answer: keeping the last known state of the image");
      return old;
    }
    const imageId = await findImageId(id, signal);
    return imageId ? { inputs: old.inputs, outputs: { ref: id, imageId } } : undefined;
  },
};
