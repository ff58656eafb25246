import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import { z } from "zod";
import { sha256 } from "../host/files";
import { register, type Context, type Handler } from "../rpc/handler";
import { connectionSchema } from "../../contracts/connection";

const schema = z.strictObject({
  /** Where the file is written on the controller, mode 0600. */
  path: z.string().refine(isAbsolute, "the path of a kubeconfig is absolute"),
  controlPlanes: z.array(connectionSchema).min(1),
  /** Another CA is another cluster. */
  caCertHash: z.string(),
  /** What is wrong with the file; a refresh fills it in, so that `up` writes it anew. */
  problem: z.string().optional(),
});

type KubeconfigInputs = z.infer<typeof schema>;
interface KubeconfigOutputs {
  /** Of what was written: the content itself is a secret that the state need not have. */
  sha256: string;
}

async function write({ kube, signal }: Context, { path, controlPlanes }: KubeconfigInputs): Promise<KubeconfigOutputs> {
  const content = await kube.adminKubeconfig(controlPlanes, signal);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${process.pid}.new`;
  await writeFile(fresh, content, { mode: 0o600 });
  await rename(fresh, path);
  return { sha256: sha256(content) };
}

async function hashOf(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").then(sha256, () => undefined);
}

/** The administrator's kubeconfig as a file of the person who runs Pulumi. */
const kubeconfig: Handler<KubeconfigInputs, KubeconfigOutputs> = {
  schema,
  outputs: ["sha256"],
  replaceOn: ["path"],
  ignore: ["controlPlanes"],
  create: async (context, inputs) => ({ id: inputs.path, outputs: await write(context, inputs) }),
  update: (context, _id, inputs) => write(context, inputs),
  async read({ kube, signal }, _id, { inputs, outputs }) {
    const there = await hashOf(inputs.path);
    if (there === undefined) return undefined;
    // Where no control plane answers, its own resources say so.
    const wanted = await kube.adminKubeconfig(inputs.controlPlanes, signal).then(sha256, () => outputs.sha256);
    const { problem: _, ...rest } = inputs;
    return {
      inputs: {
        ...rest,
        ...(there === wanted ? {} : { problem: `${inputs.path} is not the kubeconfig that the control plane has` }),
      },
      outputs,
    };
  },
  async extraChanges({ path }, old) {
    return (await hashOf(path)) === old.outputs.sha256 ? [] : ["sha256"];
  },
  async delete(_context, _id, { inputs }) {
    await rm(inputs.path, { force: true });
  },
};

export const kubeconfigResource = register(kubeconfig);
