import { z } from "zod";
import type { Handler } from "../rpc/handler";
import { ensureDaemon, findDaemon } from "./daemon";
import { ensureImage, imageId } from "./image";
import { RECIPES } from "./recipe";

interface Inputs {
  /** Default `auto`: from a base image where one can be pulled, else from the host's packages. */
  recipe?: (typeof RECIPES)[number] | undefined;
}

interface Outputs {
  /** `kubewright/machine:<hash of the recipe>` */
  ref: string;
  /** `sha256:...` */
  imageId: string;
}

/** The image that machines are made of. It is a cache: deleting the resource leaves it with Docker. */
export const imageResource: Handler<Inputs, Outputs> = {
  schema: z.strictObject({ recipe: z.enum(RECIPES).optional() }),
  outputs: ["ref", "imageId"],
  // Nothing is deleted, so nothing fights over a place.
  deleteBeforeReplace: false,

  async create({ status, signal }, { recipe = "auto" }) {
    await ensureDaemon(status, signal);
    const { ref, id } = await ensureImage(recipe, status, signal);
    return { id: ref, outputs: { ref, imageId: id } };
  },

  async read({ warn, signal }, id, old) {
    if (!(await findDaemon(signal))) {
      warn("Docker does not answer: the image's last known state is kept");
      return old;
    }
    const found = await imageId(id, signal);
    return found ? { inputs: old.inputs, outputs: { ref: id, imageId: found } } : undefined;
  },
};
