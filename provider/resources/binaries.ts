import type { Inputs } from "../../contracts/contract";
import { binariesContract } from "../../contracts/host/binaries";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { StepError } from "../../common/errors";
import { inspectFiles, writeFiles, removeFiles, sameMode } from "../host/files";
import type { OutgoingFile } from "../host/archive";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { register, type Context, type Handler } from "../rpc/handler";

type BinariesInputs = Inputs<typeof binariesContract>;

const MODE = "0755";

async function outgoingFiles(inputs: BinariesInputs, label: string): Promise<OutgoingFile[]> {
  return Promise.all(
    Object.entries(inputs.files).map(async ([path, sha256]) => {
      const source = inputs.sources[sha256];
      const info = source === undefined ? undefined : await stat(source).catch(() => undefined);
      if (source === undefined || !info) {
        throw new StepError({
          step: "copying binaries",
          machine: label,
          cause: `${source ?? basename(path)} is no longer in the user's cache`,
          action: "run the command again to fetch it",
        });
      }
      return { path, mode: MODE, sha256, size: info.size, body: { source } };
    }),
  );
}

async function install(context: Context, inputs: BinariesInputs, keepsPrevious = false): Promise<void> {
  const machine = await requireMachine(context, inputs);
  const files = await outgoingFiles(inputs, machine.label);
  const total = Math.round(files.reduce((sum, { size }) => sum + size, 0) / 1e6);
  context.status(`copying ${files.length} binaries (${total} MB)`);
  await writeFiles(machine, files, "copying binaries", context.signal, { keepsPrevious });
}

/** Executables on a machine, identified by SHA-256: copied in one stream, verified, and moved into place. */
const binaries: Handler<typeof binariesContract> = {
  contract: binariesContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: [...MACHINE_IGNORE, "sources"],
  async create(context, inputs) {
    await install(context, inputs, true);
    return { id: `${inputs.instance}/binaries`, outputs: {} };
  },
  async update(context, _id, inputs, old) {
    const machine = await requireMachine(context, inputs);
    const dropped = Object.keys(old.inputs.files).filter((path) => !(path in inputs.files));
    await removeFiles(machine, dropped, "removing binaries", context.signal);
    await install(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const existing = await inspectFiles(machine, Object.keys(old.inputs.files), context.signal);
      if (existing.size === 0) return undefined;
      const files = Object.fromEntries(
        [...existing].map(([path, { sha256, mode }]) => [
          path,
          sameMode(mode, MODE) ? sha256 : `mode ${mode}, not ${MODE}`,
        ]),
      );
      return { inputs: { ...old.inputs, files }, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (machine) await removeFiles(machine, Object.keys(inputs.files), "removing binaries", context.signal);
  },
};

export const binariesResource = register(binaries);
