import type { Inputs, Outputs } from "../../contracts/contract";
import { apiServerFilesContract } from "../../contracts/kubeadm/api-server-files";
import { readContents, removeFiles, textFile, writeFiles } from "../host/files";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, findMachine, readMachine, requireMachine } from "../host/on-machine";
import { readKeptFiles } from "../kubeadm/kept-files";
import { manifestPath } from "../kubeadm/manifest-texts";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type FilesInputs = Inputs<typeof apiServerFilesContract>;
type FilesOutputs = Outputs<typeof apiServerFilesContract>;
const API_SERVER = manifestPath("kube-apiserver");

/** Returns those of the paths that the API server uses, or uses again after a failed change. */
async function usedPaths(machine: Remote, paths: readonly string[], signal: AbortSignal): Promise<string[]> {
  const [current, kept] = await Promise.all([
    readContents(machine, [API_SERVER], signal),
    readKeptFiles(machine, [API_SERVER], signal),
  ]);
  const manifests = [...current.values(), ...kept.values()];
  return paths.filter((path) => manifests.some((manifest) => manifest.includes(path)));
}

/** Writes the files, and removes those of earlier changes that no API server uses. */
async function apply(context: Context, inputs: FilesInputs, earlier: readonly string[]): Promise<FilesOutputs> {
  const { signal } = context;
  const machine = await requireMachine(context, inputs);
  const files = Object.entries(inputs.files).map(([path, content]) => textFile(path, content, "0600"));
  await writeFiles(machine, files, "writing the files of the API server", signal);
  const others = earlier.filter((path) => inputs.files[path] === undefined);
  const used = await usedPaths(machine, others, signal);
  await remove(
    machine,
    others.filter((path) => !used.includes(path)),
    signal,
  );
  return { paths: [...Object.keys(inputs.files), ...used].sort() };
}

async function remove(machine: Remote, paths: readonly string[], signal: AbortSignal): Promise<void> {
  if (paths.length > 0) await removeFiles(machine, paths, "removing files of the API server", signal);
}

const idOf = ({ instance }: FilesInputs) => `${instance}/api-server-files`;

/** The files that the flags of a control plane's API server name. */
const apiServerFiles: Handler<typeof apiServerFilesContract> = {
  contract: apiServerFilesContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: MACHINE_IGNORE,
  async create(context, inputs) {
    return { id: idOf(inputs), outputs: await apply(context, inputs, []) };
  },
  adopt: (_context, inputs) =>
    Promise.resolve({ id: idOf(inputs), outputs: { paths: Object.keys(inputs.files).sort() } }),
  async update(context, _id, inputs, { inputs: old, outputs }) {
    return await apply(context, inputs, [...new Set([...Object.keys(old.files), ...(outputs.paths ?? [])])]);
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const texts = await readContents(machine, Object.keys(old.inputs.files), context.signal);
      return texts.size === 0 ? undefined : { ...old, inputs: { ...old.inputs, files: Object.fromEntries(texts) } };
    }),
  async delete(context, _id, { inputs, outputs }) {
    const machine = await findMachine(context, inputs);
    if (!machine) return;
    const paths = [...new Set([...Object.keys(inputs.files), ...(outputs.paths ?? [])])];
    // An API server that still uses a file could not start without it.
    const used = await usedPaths(machine, paths, context.signal);
    await remove(
      machine,
      paths.filter((path) => !used.includes(path)),
      context.signal,
    );
  },
};

export const apiServerFilesResource = register(apiServerFiles);
