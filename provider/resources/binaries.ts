import type { Inputs } from "../../contracts/contract";
import { binariesContract } from "../../contracts/host/binaries";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { StepError } from "../../common/errors";
import { STAGED_SUFFIX } from "../../contracts/files";
import { type FileState, inspectFiles, removeFiles, sameMode } from "../host/files";
import type { OutgoingFile } from "../host/archive";
import { writeBinaries } from "../host/write-binaries";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type BinariesInputs = Inputs<typeof binariesContract>;

const MODE = "0755";

async function outgoingFiles(
  { cachedFiles, status, signal }: Context,
  inputs: BinariesInputs,
  label: string,
): Promise<OutgoingFile[]> {
  return Promise.all(
    Object.entries(inputs.files).map(async ([path, sha256]) => {
      const recorded = inputs.sources[sha256];
      const source = recorded === undefined ? undefined : await cachedFiles.obtain(recorded, status, signal);
      const info = source === undefined ? undefined : await stat(source).catch(() => undefined);
      if (source === undefined || !info) {
        throw new StepError({
          step: "copying binaries",
          machine: label,
          cause: `${recorded ?? basename(path)} is not in the user's cache, and could not be fetched`,
          action: "run the command again without --target",
        });
      }
      return { path, mode: MODE, sha256, size: info.size, body: { source } };
    }),
  );
}

async function install(context: Context, inputs: BinariesInputs, isUpdate: boolean): Promise<void> {
  const machine = await requireMachine(context, inputs);
  const all = await outgoingFiles(context, inputs, machine.label);
  const files = isUpdate ? await withStaged(machine, inputs, all, context.signal) : all;
  await writeBinaries(context, machine, files, { keepsPrevious: !isUpdate });
}

/** Returns the files with the paths to which they are written: those that are in use are staged beside them. */
async function withStaged(
  machine: Remote,
  { staged }: BinariesInputs,
  files: OutgoingFile[],
  signal: AbortSignal,
): Promise<OutgoingFile[]> {
  if (!staged) return files;
  const { paths, whileExists } = staged;
  const existing = await inspectFiles(machine, [...paths, whileExists], signal);
  if (!existing.has(whileExists)) return files;
  const isOutdated = ({ path, sha256 }: OutgoingFile) => {
    const current = paths.includes(path) ? existing.get(path) : undefined;
    return current !== undefined && current.sha256 !== sha256;
  };
  const superseded = files.filter((file) => paths.includes(file.path) && !isOutdated(file));
  await removeFiles(
    machine,
    superseded.map(({ path }) => `${path}${STAGED_SUFFIX}`),
    "removing binaries",
    signal,
  );
  return files.map((file) => (isOutdated(file) ? { ...file, path: `${file.path}${STAGED_SUFFIX}` } : file));
}

function stagedPaths({ staged }: BinariesInputs): string[] {
  return (staged?.paths ?? []).map((path) => `${path}${STAGED_SUFFIX}`);
}

/** Returns the hash of a file, or what is wrong with its mode. */
function describeFile({ sha256, mode }: FileState): string {
  return sameMode(mode, MODE) ? sha256 : `mode ${mode}, not ${MODE}`;
}

const idOf = ({ instance }: BinariesInputs) => `${instance}/binaries`;

/**
 * Executables on a machine, identified by SHA-256: copied in one stream or downloaded by the machine, verified, and
 * moved into place.
 */
const binaries: Handler<typeof binariesContract> = {
  contract: binariesContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: [...MACHINE_IGNORE, "sources", "staged"],
  async create(context, inputs) {
    await install(context, inputs, false);
    return { id: idOf(inputs), outputs: {} };
  },
  adopt: adoptById(idOf),
  async update(context, _id, inputs, old) {
    const machine = await requireMachine(context, inputs);
    const dropped = Object.keys(old.inputs.files).filter((path) => !(path in inputs.files));
    await removeFiles(machine, dropped, "removing binaries", context.signal);
    await install(context, inputs, true);
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const paths = Object.keys(old.inputs.files);
      const existing = await inspectFiles(machine, [...paths, ...stagedPaths(old.inputs)], context.signal);
      const files = Object.fromEntries(
        paths.flatMap((path) => {
          const [current, next] = [existing.get(path), existing.get(`${path}${STAGED_SUFFIX}`)].map(
            (file) => file && describeFile(file),
          );
          // A staged one waits for another resource, and is no drift.
          const shown = next !== undefined && next === old.inputs.files[path] ? next : current;
          return shown === undefined ? [] : [[path, shown]];
        }),
      );
      if (Object.keys(files).length === 0) return undefined;
      return { inputs: { ...old.inputs, files }, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    const paths = [...Object.keys(inputs.files), ...stagedPaths(inputs)];
    if (machine) await removeFiles(machine, paths, "removing binaries", context.signal);
  },
};

export const binariesResource = register(binaries);
