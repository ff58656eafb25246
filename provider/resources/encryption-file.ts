import type { Inputs } from "../../contracts/contract";
import { encryptionFileContract } from "../../contracts/kubeadm/encryption-file";
import { canRead, ENCRYPTION_FILE, readingConfiguration, writingConfiguration } from "../../render/encryption";
import { removeFiles } from "../host/files";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, findMachine, readMachine, requireMachine } from "../host/on-machine";
import { readConfiguration, readUse, useConfiguration, writeConfiguration } from "../kubeadm/encryption-config";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";

type FileInputs = Inputs<typeof encryptionFileContract>;
const path = ENCRYPTION_FILE;

/** Lets the machine's API server read the keys. How it writes is changed by `kube:Encryption`. */
async function apply(context: Context, inputs: FileInputs): Promise<void> {
  const { signal } = context;
  const machine = await requireMachine(context, inputs);
  const [current, use] = await Promise.all([readConfiguration(machine, path, signal), readUse(machine, signal)]);
  if (canRead(current, inputs)) return;
  // Only an API server that exists must take the keys into use in two steps.
  const text = use === "none" ? writingConfiguration(inputs, current) : readingConfiguration(inputs, current);
  if (use === "configured") await useConfiguration(context, machine, { path, text, before: current });
  else await writeConfiguration(machine, { path, text }, signal);
}

const idOf = ({ instance }: FileInputs) => `${instance}/encryption`;

/** The file from which a control plane's API server reads its encryption keys. */
const encryptionFile: Handler<typeof encryptionFileContract> = {
  contract: encryptionFileContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: [...MACHINE_IGNORE, "provider"],
  async create(context, inputs) {
    await apply(context, inputs);
    return { id: idOf(inputs), outputs: {} };
  },
  adopt: adoptById(idOf),
  async update(context, _id, inputs) {
    await apply(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const current = await readConfiguration(machine, path, context.signal);
      if (current === undefined) return undefined;
      const keys = old.inputs.keys.filter((key) => canRead(current, { ...old.inputs, keys: [key] }));
      return { ...old, inputs: { ...old.inputs, keys } };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    // An API server that still uses the file could not start without it.
    if (!machine || (await readUse(machine, context.signal)) === "configured") return;
    await removeFiles(machine, [path], "removing the encryption keys", context.signal);
  },
};

export const encryptionFileResource = register(encryptionFile);
