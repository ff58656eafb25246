import type { Inputs, Outputs } from "../../contracts/contract";
import { artifactsContract } from "../../contracts/local/artifacts";
import { cachedArtifacts, loadVersions, obtainArtifacts, type ArtifactSet } from "../../artifacts";
import { register, type Handler } from "../rpc/handler";

type ArtifactsInputs = Inputs<typeof artifactsContract>;
type ArtifactsOutputs = Outputs<typeof artifactsContract>;

function outputsOf(set: ArtifactSet): ArtifactsOutputs {
  return { resolvedSource: set.source, binaries: set.binaries, images: set.images, refs: set.refs };
}

function requestOf({ source, kubernetes, arch, runtime, extras }: ArtifactsInputs) {
  return {
    source,
    kubernetes,
    arch,
    ...(runtime === undefined ? {} : { runtime }),
    ...(extras === undefined ? {} : { extras }),
  };
}

/** Binaries and images in the user's cache: downloaded and verified, or built. */
const artifacts: Handler<typeof artifactsContract> = {
  contract: artifactsContract,
  replaceOn: [],
  check({ kubernetes }) {
    const known = Object.keys(loadVersions().kubernetes.supported);
    if (kubernetes === undefined || known.includes(kubernetes)) return [];
    return [{ path: "kubernetes", reason: `version ${kubernetes} is not supported; use one of ${known.join(", ")}` }];
  },
  async create(context, inputs) {
    const set = await obtainArtifacts(requestOf(inputs), (message) => context.status(message), context.signal);
    context.info(`binaries and images: ${set.reason}`);
    return { id: `kubernetes-${inputs.kubernetes}-${inputs.arch}`, outputs: outputsOf(set) };
  },
  async update(context, _id, inputs) {
    return outputsOf(await obtainArtifacts(requestOf(inputs), (message) => context.status(message), context.signal));
  },
  /** Fills a deleted cache again, before a machine needs it. */
  async extraChanges(inputs) {
    return (await cachedArtifacts(requestOf(inputs))) ? [] : ["source"];
  },
  /** Reads the cache, if it has the version, so that a preview can show what the version changes on each machine. */
  async predict(inputs, old) {
    const same =
      old &&
      inputs.kubernetes === old.inputs.kubernetes &&
      inputs.source === old.inputs.source &&
      inputs.arch === old.inputs.arch;
    if (same && inputs.extras === old.inputs.extras && inputs.runtime === old.inputs.runtime) return old.outputs;
    const { success, data } = artifactsContract.inputs.safeParse(inputs);
    const set = success ? await cachedArtifacts(requestOf(data)) : undefined;
    return set ? outputsOf(set) : {};
  },
};

export const artifactsResource = register(artifacts);
