import { isDeepStrictEqual } from "node:util";
import { portableCachePath } from "../../common/portable-path";
import type { Inputs, Outputs } from "../../contracts/contract";
import { artifactsContract } from "../../contracts/local/artifacts";
import { cachedArtifacts, findReleaseProblem, obtainArtifacts, type ArtifactSet } from "../../artifacts";
import { register, type Context, type Handler, type Problem } from "../rpc/handler";

type ArtifactsInputs = Inputs<typeof artifactsContract>;
type ArtifactsOutputs = Outputs<typeof artifactsContract>;

function toOutputs(set: ArtifactSet): ArtifactsOutputs {
  return portableOutputs({ resolvedSource: set.source, binaries: set.binaries, images: set.images, refs: set.refs });
}

/** States of version 1 have paths of the computer that wrote them. */
function portableOutputs(outputs: ArtifactsOutputs): ArtifactsOutputs {
  return {
    ...outputs,
    binaries: withPortablePaths(outputs.binaries),
    images: withPortablePaths(outputs.images),
  };
}

/** Replaces the paths of the files in the cache by portable ones. */
function withPortablePaths<T>(value: T): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value as Record<string, unknown>).map(([name, held]) => [
    name,
    name === "path" && typeof held === "string" ? portableCachePath(held) : withPortablePaths(held),
  ]);
  return Object.fromEntries(entries) as T;
}

/** Whether the state has no path of another computer. */
function isPortable({ binaries, images }: ArtifactsOutputs): boolean {
  return isDeepStrictEqual([binaries, images], [withPortablePaths(binaries), withPortablePaths(images)]);
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

function obtain({ settings, status, signal }: Context, inputs: ArtifactsInputs): Promise<ArtifactSet> {
  const request = { ...toRequest(inputs), ...(settings.transfer === "pull" ? { downloadsOnly: true } : {}) };
  return obtainArtifacts(request, (message) => status(message), signal);
}

async function create(context: Context, inputs: ArtifactsInputs): Promise<{ id: string; outputs: ArtifactsOutputs }> {
  const set = await obtain(context, inputs);
  context.info(`binaries and images: ${set.reason}`);
  return { id: `kubernetes-${inputs.kubernetes}-${inputs.arch}`, outputs: toOutputs(set) };
}

const NOTHING_TO_DOWNLOAD: Problem = {
  path: "source",
  reason:
    "this computer builds the files, and with `transfer: pull` machines would have to download them; set `transfer` " +
    "to auto or push, or `source` to official or to the address of a mirror",
};

/** An existing resource has the version already, so a source that is down now is no problem. */
async function findVersionProblems(
  inputs: Partial<ArtifactsInputs>,
  old: Partial<ArtifactsInputs> | undefined,
): Promise<Problem[]> {
  if (old?.kubernetes === inputs.kubernetes && old?.source === inputs.source) return [];
  const { success, data } = artifactsContract.inputs.safeParse(inputs);
  const problem = success ? await findReleaseProblem(toRequest(data), new AbortController().signal) : undefined;
  return problem ? [{ path: "kubernetes", reason: `${problem.reason}; ${problem.action}` }] : [];
}

/** Whether the files come from Go modules. `auto` has chosen them if the cache has the files from there only. */
async function isBuiltHere(inputs: Partial<ArtifactsInputs>): Promise<boolean> {
  if (inputs.source !== "auto") return inputs.source === "modules";
  const { success, data } = artifactsContract.inputs.safeParse(inputs);
  return success && (await cachedArtifacts(toRequest(data)))?.source === "modules";
}

/** Binaries and images in the user's cache, downloaded and verified, or built from source. */
const artifacts: Handler<typeof artifactsContract> = {
  contract: artifactsContract,
  replaceOn: [],
  async check(inputs, { settings }, old) {
    const problems = await findVersionProblems(inputs, old);
    if (problems.length > 0 || settings.transfer !== "pull") return problems;
    return (await isBuiltHere(inputs)) ? [NOTHING_TO_DOWNLOAD] : [];
  },
  create,
  adopt: create,
  async update(context, _id, inputs) {
    return toOutputs(await obtain(context, inputs));
  },
  /** A file that is not in the cache of this computer is no change: it is fetched when a machine needs it. */
  extraChanges(inputs, { outputs }, { cachedFiles }) {
    cachedFiles.remember(toRequest({ ...inputs, source: outputs.resolvedSource }));
    return Promise.resolve(isPortable(outputs) ? [] : ["binaries"]);
  },
  /** Reads the outputs from the cache if it has the version, so that a preview shows the changes on each machine. */
  async predict(inputs, old) {
    const isSameRelease =
      old &&
      inputs.kubernetes === old.inputs.kubernetes &&
      inputs.source === old.inputs.source &&
      inputs.arch === old.inputs.arch;
    if (isSameRelease && inputs.extras === old.inputs.extras && inputs.runtime === old.inputs.runtime)
      return portableOutputs(old.outputs);
    const { success, data } = artifactsContract.inputs.safeParse(inputs);
    const set = success ? await cachedArtifacts(toRequest(data)) : undefined;
    return set ? toOutputs(set) : {};
  },
};

export const artifactsResource = register(artifacts);
