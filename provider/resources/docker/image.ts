import type { Inputs } from "../../../contracts/contract";
import { dockerImageContract } from "../../../contracts/docker/image";
import type { Context, Handler } from "../../rpc/handler";
import { ensureDaemon, findDaemon } from "../../docker/daemon";
import { ensureImage, findImageId } from "../../docker/image";

/** The machine image. Docker keeps it as a cache when the resource is deleted. */
export const imageResource: Handler<typeof dockerImageContract> = {
  contract: dockerImageContract,
  // Deleting does nothing, so the order does not matter.
  deleteBeforeReplace: false,

  create,
  // An image is a cache on this computer, not a part of the cluster.
  adopt: create,

  async read({ warn, signal }, id, old) {
    if (!(await findDaemon(signal))) {
      warn("Docker does not answer: keeping the last known state of the image");
      return old;
    }
    const imageId = await findImageId(id, signal);
    return imageId ? { inputs: old.inputs, outputs: { ref: id, imageId } } : undefined;
  },
};

async function create(
  { settings, status, signal }: Context,
  { recipe = "auto" }: Inputs<typeof dockerImageContract>,
): Promise<{ id: string; outputs: { ref: string; imageId: string } }> {
  await ensureDaemon(settings.dockerEnvironment, status, signal);
  const { ref, id } = await ensureImage(recipe, status, signal);
  return { id: ref, outputs: { ref, imageId: id } };
}
