import type { Inputs } from "../../contracts/contract";
import { filesContract } from "../../contracts/host/files";
import { put, removeFiles, seenFiles, textFiles } from "../host/files";
import { HOST_IGNORES, HOST_REPLACES, lookAt, sameMachine, theMachine } from "../host/on-machine";
import { register, type Context, type Handler } from "../rpc/handler";

type FilesInputs = Inputs<typeof filesContract>;

async function write(context: Context, inputs: FilesInputs): Promise<void> {
  const machine = await theMachine(context, inputs);
  const files = textFiles(inputs.files);
  context.status(`writing ${files.length} files`);
  await put(machine, files, `writing ${context.name}`, context.signal);
}

/** Text files on a machine that belong together, owned by root. */
const files: Handler<typeof filesContract> = {
  contract: filesContract,
  replaceOn: HOST_REPLACES,
  ignore: HOST_IGNORES,
  async create(context, inputs) {
    await write(context, inputs);
    return { id: `${inputs.instance}/${context.name}`, outputs: {} };
  },
  async update(context, _id, inputs, old) {
    const machine = await theMachine(context, inputs);
    const dropped = Object.keys(old.inputs.files).filter((path) => !(path in inputs.files));
    await removeFiles(machine, dropped, `writing ${context.name}`, context.signal);
    await write(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    lookAt(context, old, async (machine) => {
      const found = await seenFiles(machine, old.inputs.files, context.signal);
      return found && { inputs: { ...old.inputs, files: found }, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await sameMachine(context, inputs);
    if (machine) await removeFiles(machine, Object.keys(inputs.files), `removing ${context.name}`, context.signal);
  },
};

export const filesResource = register(files);
