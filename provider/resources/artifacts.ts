import { z } from "zod";
import { cachedArtifacts, loadVersions, obtainArtifacts, type ArtifactSet } from "../../artifacts";
import { RUNTIMES } from "../../common/runtime";
import { register, type Handler } from "../rpc/handler";

const schema = z.strictObject({
  /** `auto`, `official`, `modules`, or the address of a mirror laid out as the official one. */
  source: z
    .string()
    .refine(
      (source) => /^(auto|official|modules|https?:\/\/\S+)$/.test(source),
      "use auto, official, modules or a mirror's http(s) address",
    ),
  kubernetes: z.string(),
  arch: z.enum(["amd64", "arm64"]),
  /** Absent: containerd. */
  runtime: z.enum(RUNTIMES).optional(),
  /** Images for examples and tests too. */
  extras: z.boolean().optional(),
});

type ArtifactsInputs = z.infer<typeof schema>;
interface ArtifactsOutputs {
  /** Which source it was, and why. */
  resolvedSource: string;
  binaries: ArtifactSet["binaries"];
  images: ArtifactSet["images"];
  refs: ArtifactSet["refs"];
}

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

/** Binaries and images in this user's cache: downloaded and verified, or built. */
const artifacts: Handler<ArtifactsInputs, ArtifactsOutputs> = {
  schema,
  outputs: ["resolvedSource", "binaries", "images", "refs"],
  replaceOn: [],
  check({ kubernetes }) {
    const known = Object.keys(loadVersions().kubernetes.supported);
    if (kubernetes === undefined || known.includes(kubernetes)) return [];
    return [{ path: "kubernetes", reason: `version ${kubernetes} is not known; use one of ${known.join(", ")}` }];
  },
  async create(context, inputs) {
    const set = await obtainArtifacts(requestOf(inputs), (message) => context.status(message), context.signal);
    context.info(`binaries and images: ${set.reason}`);
    return { id: `kubernetes-${inputs.kubernetes}-${inputs.arch}`, outputs: outputsOf(set) };
  },
  async update(context, _id, inputs) {
    return outputsOf(await obtainArtifacts(requestOf(inputs), (message) => context.status(message), context.signal));
  },
  /** A cache that was cleared is filled again, before a machine needs it. */
  async extraChanges(inputs) {
    return (await cachedArtifacts(requestOf(inputs))) ? [] : ["source"];
  },
  /** From the cache, where it is: so that a preview can tell what a new version changes on each machine. */
  async predict(inputs, old) {
    const same =
      old &&
      inputs.kubernetes === old.inputs.kubernetes &&
      inputs.source === old.inputs.source &&
      inputs.arch === old.inputs.arch;
    if (same && inputs.extras === old.inputs.extras && inputs.runtime === old.inputs.runtime) return old.outputs;
    const { success, data } = schema.safeParse(inputs);
    const set = success ? await cachedArtifacts(requestOf(data)) : undefined;
    return set ? outputsOf(set) : {};
  },
};

export const artifactsResource = register(artifacts);
