import type { Inputs, Outputs } from "../../contracts/contract";
import { kubeconfigContract } from "../../contracts/local/kubeconfig";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { sha256 } from "../host/files";
import { register, type Context, type Handler } from "../rpc/handler";

type KubeconfigInputs = Inputs<typeof kubeconfigContract>;
type KubeconfigOutputs = Outputs<typeof kubeconfigContract>;

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
const kubeconfig: Handler<typeof kubeconfigContract> = {
  contract: kubeconfigContract,
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
