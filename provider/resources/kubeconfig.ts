import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Inputs, Outputs } from "../../contracts/contract";
import { kubeconfigContract } from "../../contracts/local/kubeconfig";
import { StepError } from "../../common/errors";
import { sha256 } from "../host/files";
import { caCertHash } from "../pki/ca-cert-hash";
import { register, type Context, type Handler, type Recorded } from "../rpc/handler";

type KubeconfigInputs = Inputs<typeof kubeconfigContract>;
type KubeconfigOutputs = Outputs<typeof kubeconfigContract>;
type RecordedKubeconfig = Recorded<KubeconfigInputs, KubeconfigOutputs>;

const clustersSchema = z.object({
  clusters: z.array(z.object({ cluster: z.object({ "certificate-authority-data": z.string() }) })).min(1),
});

async function readText(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/** Whether a kubeconfig has entries of the clusters with these CAs only, so that it may be overwritten or deleted. */
function isOwn(content: string, caCertHashes: readonly string[]): boolean {
  try {
    const { clusters } = clustersSchema.parse(parse(content));
    return clusters.every(({ cluster }) => {
      const pem = Buffer.from(cluster["certificate-authority-data"], "base64").toString();
      return caCertHashes.includes(caCertHash(pem));
    });
  } catch {
    return false;
  }
}

/** @throws StepError if the file at the path is the user's own: it is never overwritten */
async function refuseForeignFile(
  { path, caCertHash: hash }: KubeconfigInputs,
  old?: RecordedKubeconfig,
): Promise<void> {
  const existing = await readText(path);
  if (existing === undefined || sha256(existing) === old?.outputs.sha256) return;
  if (isOwn(existing, [hash, ...(old ? [old.inputs.caCertHash] : [])])) return;
  throw new StepError({
    step: "writing the kubeconfig",
    cause: `${path} has entries of other clusters, or is not a kubeconfig`,
    action: "choose another path, or move the file away",
  });
}

async function writeKubeconfig(
  { kube, signal }: Context,
  inputs: KubeconfigInputs,
  old?: RecordedKubeconfig,
): Promise<KubeconfigOutputs> {
  const { path, controlPlanes } = inputs;
  await refuseForeignFile(inputs, old);
  const content = await kube.adminKubeconfig(controlPlanes, signal);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.new`;
  await writeFile(temporary, content, { mode: 0o600 });
  await rename(temporary, path);
  return { sha256: sha256(content) };
}

async function hashOf(path: string): Promise<string | undefined> {
  const content = await readText(path);
  return content === undefined ? undefined : sha256(content);
}

/** The administrator's kubeconfig as a file on the computer that runs Pulumi. */
const kubeconfig: Handler<typeof kubeconfigContract> = {
  contract: kubeconfigContract,
  replaceOn: ["path"],
  ignore: ["controlPlanes"],
  create: async (context, inputs) => ({ id: inputs.path, outputs: await writeKubeconfig(context, inputs) }),
  update: (context, _id, inputs, old) => writeKubeconfig(context, inputs, old),
  async read({ kube, signal }, _id, { inputs, outputs }) {
    const current = await hashOf(inputs.path);
    if (current === undefined) return undefined;
    // If no control plane answers, the resources on the control planes report it.
    const expected = await kube.adminKubeconfig(inputs.controlPlanes, signal).then(sha256, () => outputs.sha256);
    const { problem: _, ...rest } = inputs;
    const problem =
      current === expected ? {} : { problem: `${inputs.path} differs from the control plane's kubeconfig` };
    return { inputs: { ...rest, ...problem }, outputs };
  },
  async extraChanges({ path }, old) {
    return (await hashOf(path)) === old.outputs.sha256 ? [] : ["sha256"];
  },
  async delete({ warn }, _id, { inputs, outputs }) {
    const content = await readText(inputs.path);
    if (content === undefined) return;
    if (sha256(content) !== outputs.sha256 && !isOwn(content, [inputs.caCertHash]))
      return warn(`${inputs.path} has entries of other clusters: it was not deleted`);
    await rm(inputs.path, { force: true });
  },
};

export const kubeconfigResource = register(kubeconfig);
