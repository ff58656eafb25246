import type { Inputs } from "../../contracts/contract";
import { filesContract } from "../../contracts/host/files";
import { writeFiles, removeFiles, readTextFiles, textFiles } from "../host/files";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";

type FilesInputs = Inputs<typeof filesContract>;

async function writeAll(context: Context, inputs: FilesInputs, keepsPrevious = false): Promise<void> {
  const machine = await requireMachine(context, inputs);
  const files = textFiles(inputs.files);
  context.status(`writing ${files.length} files`);
  await writeFiles(machine, files, `writing ${context.name}`, context.signal, { keepsPrevious });
}

function idOf({ instance }: FilesInputs, { name }: Context): string {
  return `${instance}/${name}`;
}

/** A group of text files on a machine, owned by root. */
const files: Handler<typeof filesContract> = {
  contract: filesContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: MACHINE_IGNORE,
  async create(context, inputs) {
    await writeAll(context, inputs, true);
    return { id: idOf(inputs, context), outputs: {} };
  },
  adopt: adoptById(idOf),
  async update(context, _id, inputs, old) {
    const machine = await requireMachine(context, inputs);
    const dropped = Object.keys(old.inputs.files).filter((path) => !(path in inputs.files));
    await removeFiles(machine, dropped, `writing ${context.name}`, context.signal);
    await writeAll(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const existing = await readTextFiles(machine, old.inputs.files, context.signal);
      return existing && { inputs: { ...old.inputs, files: existing }, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (machine) await removeFiles(machine, Object.keys(inputs.files), `removing ${context.name}`, context.signal);
  },
};

export const filesResource = register(files);
