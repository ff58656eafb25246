import type { Inputs } from "../../contracts/contract";
import { imagesContract } from "../../contracts/host/images";
import { createReadStream } from "node:fs";
import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { DEFAULT_RUNTIME } from "../../common/runtime";
import { earlierRun } from "../host/earlier-run";
import { IMAGE_STORES, type ImageStore } from "../host/image-store";
import { LOADED, releaseOldImages } from "../host/previous-images";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { adoptById, register, type Context, type Handler, type Problem } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type ImagesInputs = Inputs<typeof imagesContract>;

const PULL_SECONDS = 600;

function storeOf({ runtime = DEFAULT_RUNTIME }: Pick<ImagesInputs, "runtime">): ImageStore {
  return IMAGE_STORES[runtime];
}

/** A node keeps its container runtime: the old runtime's pods would keep running beside those of the new one. */
function findRuntimeChange(inputs: Partial<ImagesInputs>, old: Partial<ImagesInputs>): Problem[] {
  const [now, before] = [inputs, old].map(({ runtime = DEFAULT_RUNTIME }) => runtime);
  if (now === before || inputs.instance === undefined || inputs.instance !== old.instance) return [];
  return [
    {
      path: "runtime",
      reason:
        `cannot change from ${before} to ${now} on an existing node; set it back, or remove the machine from the ` +
        "cluster and let it join again with the new runtime",
    },
  ];
}

async function listImages(
  machine: Remote,
  store: ImageStore,
  signal: AbortSignal,
): Promise<{ refs: Set<string>; loaded: Set<string> }> {
  const script = `${store.list} 2>/dev/null; ls ${LOADED} 2>/dev/null; true`;
  const { stdout } = await machine.read(script, { step: "listing images", signal });
  const lines = new Set(stdout.split("\n").filter(Boolean));
  return { refs: lines, loaded: lines };
}

async function loadImages(context: Context, machine: Remote, inputs: ImagesInputs): Promise<void> {
  const store = storeOf(inputs);
  const existing = await listImages(machine, store, context.signal);
  for (const [name, archive] of Object.entries(inputs.archives)) {
    if (existing.loaded.has(archive.sha256) && archive.refs.every((ref) => existing.refs.has(ref))) continue;
    context.status(`loading images: ${name}`);
    await importArchive(context, machine, store, { name, ...archive, source: inputs.sources[archive.sha256] });
  }
  for (const ref of inputs.pull.filter((image) => !existing.refs.has(image)))
    await pullImage(context, machine, store, ref);
}

async function releaseImages(context: Context, machine: Remote, inputs: ImagesInputs, old: ImagesInputs) {
  const current = Object.values(inputs.archives);
  for (const [name, previous] of Object.entries(old.archives))
    if (previous.sha256 !== inputs.archives[name]?.sha256)
      await releaseOldImages(machine, storeOf(inputs), { name, previous, current }, context.signal);
}

async function pullImage(context: Context, machine: Remote, store: ImageStore, ref: string): Promise<void> {
  context.status(`pulling ${ref}`);
  await machine.run(`{ ${store.pull(ref)}; } >/dev/null`, {
    step: `pulling ${ref}`,
    signal: context.signal,
    timeout: PULL_SECONDS,
    action: "check that the machine reaches the registry, or set `source` to modules or to a mirror",
  });
}

interface Archive {
  name: string;
  sha256: string;
  /** Path on the controller. */
  source: string | undefined;
}

async function importArchive(
  context: Context,
  machine: Remote,
  store: ImageStore,
  { name, sha256, source }: Archive,
): Promise<void> {
  const step = `loading the ${name} images`;
  const { cachedFiles, status, signal } = context;
  const file = source === undefined ? undefined : await cachedFiles.obtain(source, status, signal);
  if (file === undefined) {
    throw new StepError({
      step,
      machine: machine.label,
      cause: `${source ?? name} is not in the user's cache, and could not be fetched`,
      action: "run the command again without --target",
    });
  }
  const earlier = earlierRun("load", sha256);
  const script = `set -e
${earlier.stop}
trap '${earlier.cleanup}' EXIT
${store.load} >/dev/null
mkdir -p ${LOADED}
touch ${LOADED}/${quote(sha256)}`;
  await machine.run(script, {
    step,
    signal: context.signal,
    stdin: () => createReadStream(file, { highWaterMark: 1 << 20 }),
    action: store.action,
  });
}

const idOf = ({ instance }: ImagesInputs) => `${instance}/images`;

/** Container images on a machine: loaded from archives, or pulled. */
const images: Handler<typeof imagesContract> = {
  contract: imagesContract,
  findImpossibleChanges: findRuntimeChange,
  replaceOn: [...MACHINE_REPLACE_ON, "runtime"],
  ignore: [...MACHINE_IGNORE, "sources"],
  async create(context, inputs) {
    await loadImages(context, await requireMachine(context, inputs), inputs);
    return { id: idOf(inputs), outputs: {} };
  },
  adopt: adoptById(idOf),
  async update(context, _id, inputs, old) {
    const machine = await requireMachine(context, inputs);
    await loadImages(context, machine, inputs);
    await releaseImages(context, machine, inputs, old.inputs);
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const existing = await listImages(machine, storeOf(old.inputs), context.signal);
      const archives = Object.entries(old.inputs.archives).map(([name, { sha256, refs }]) => {
        return [name, { sha256, refs: refs.filter((ref) => existing.refs.has(ref)) }] as const;
      });
      const pulled = old.inputs.pull.filter((ref) => existing.refs.has(ref));
      return { inputs: { ...old.inputs, archives: Object.fromEntries(archives), pull: pulled }, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (!machine) return;
    const refs = [...Object.values(inputs.archives).flatMap((archive) => archive.refs), ...inputs.pull];
    const script = `${storeOf(inputs).remove(refs)} >/dev/null 2>&1 || true\nrm -rf ${LOADED}`;
    await machine.run(script, { step: "removing images", signal: context.signal });
  },
};

export const imagesResource = register(images);
