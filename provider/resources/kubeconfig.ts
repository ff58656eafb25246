import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import { z } from "zod";
import { register, type Handler } from "../rpc/handler";

const schema = z.strictObject({
  /** Where the file is written on the controller, mode 0600. */
  path: z.string().refine(isAbsolute, "the path of a kubeconfig is absolute"),
  content: z.string(),
});

type KubeconfigInputs = z.infer<typeof schema>;
type KubeconfigOutputs = Record<string, never>;

async function write({ path, content }: KubeconfigInputs): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${process.pid}.new`;
  await writeFile(fresh, content, { mode: 0o600 });
  await rename(fresh, path);
}

/** The administrator's kubeconfig as a file of the person who runs Pulumi. */
const kubeconfig: Handler<KubeconfigInputs, KubeconfigOutputs> = {
  schema,
  outputs: [],
  replaceOn: ["path"],
  async create(_context, inputs) {
    await write(inputs);
    return { id: inputs.path, outputs: {} };
  },
  async update(_context, _id, inputs) {
    await write(inputs);
    return {};
  },
  async read(_context, _id, old) {
    const content = await readFile(old.inputs.path, "utf8").catch(() => undefined);
    return content === undefined ? undefined : { inputs: { ...old.inputs, content }, outputs: {} };
  },
  async extraChanges(inputs) {
    return (await stat(inputs.path).catch(() => undefined)) ? [] : ["content"];
  },
  async delete(_context, _id, { inputs }) {
    await rm(inputs.path, { force: true });
  },
};

export const kubeconfigResource = register(kubeconfig);
