import type { Inputs, Outputs } from "../../contracts/contract";
import { artifactsContract } from "../../contracts/local/artifacts";
import { cachedArtifacts, loadVersions, obtainArtifacts, type ArtifactSet } from "../../artifacts";
import { register, type Context, type Handler } from "../rpc/handler";

type ArtifactsInputs = Inputs<typeof artifactsContract>;
type ArtifactsOutputs = Outputs<typeof artifactsContract>;

function toOutputs(set: ArtifactSet): ArtifactsOutputs {
  return { resolvedSource: set.source, binaries: set.binaries, images: set.images, refs: set.refs };
}

function toRequest({ source, kubernetes, arch, runtime, extras }: ArtifactsInputs) {
  return {
    source,
    kubernetes,
    arch,
    ...(runtime === undefined ? {} : { runtime }),
    ...(extras === undefined ? {} : { extras }),
  };
}

async function create(context: Context, inputs: ArtifactsInputs): Promise<{ id: string; outputs: ArtifactsOutputs }> {
  const set = await obtainArtifacts(toRequest(inputs), (message) => context.status(message), context.signal);
  context.info(`binaries and images: ${set.reason}`);
  return { id: `kubernetes-${inputs.kubernetes}-${inputs.arch}`, outputs: toOutputs(set) };
}

/** Binaries and images in the user's cache, downloaded and verified, or built from source. */
const artifacts: Handler<typeof artifactsContract> = {
  contract: artifactsContract,
  replaceOn: [],
  check({ kubernetes }) {
    const supported = Object.keys(loadVersions().kubernetes.supported);
    if (kubernetes === undefined || supported.includes(kubernetes)) return [];
    return [
      { path: "kubernetes", reason: `version ${kubernetes} is not supported; use one of ${supported.join(", ")}` },
    ];
  },
  create,
  adopt: create,
  async update(context, _id, inputs) {
    return toOutputs(await obtainArtifacts(toRequest(inputs), (message) => context.status(message), context.signal));
  },
  /** Plans an update if the cache was deleted, so that it is filled before a machine needs it. */
  async extraChanges(inputs) {
    return (await cachedArtifacts(toRequest(inputs))) ? [] : ["source"];
  },
  /** Reads the outputs from the cache if it has the version, so that a preview shows the changes on each machine. */
  async predict(inputs, old) {
    const isSameRelease =
      old &&
      inputs.kubernetes === old.inputs.kubernetes &&
      inputs.source === old.inputs.source &&
      inputs.arch === old.inputs.arch;
    if (isSameRelease && inputs.extras === old.inputs.extras && inputs.runtime === old.inputs.runtime)
      return old.outputs;
    const { success, data } = artifactsContract.inputs.safeParse(inputs);
    const set = success ? await cachedArtifacts(toRequest(data)) : undefined;
    return set ? toOutputs(set) : {};
  },
};

export const artifactsResource = register(artifacts);
