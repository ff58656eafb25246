import type { Inputs } from "../../contracts/contract";
import { kubeletAuthorityContract } from "../../contracts/kubeadm/kubelet-authority";
import { verifiesKubelets } from "../kubeadm/kubelet-authority";
import { readManifestTexts } from "../kubeadm/manifest-texts";
import { verifyKubelets } from "../kubelet/verify-kubelets";
import { register, type Context, type Handler } from "../rpc/handler";
import { clusterSetting } from "./cluster-setting";

const ID = "kubelet-authority";

type AuthorityInputs = Inputs<typeof kubeletAuthorityContract>;

/** One control plane after the other: the next one changes when the one before reaches all kubelets. */
async function apply(context: Context, { controlPlanes, nodes }: AuthorityInputs): Promise<void> {
  context.begin();
  for (const [index, connection] of controlPlanes.entries())
    await verifyKubelets(context, { connection, node: nodes[index] ?? "" });
}

async function findProblem(context: Context, { controlPlanes }: AuthorityInputs): Promise<string | undefined> {
  const without = await Promise.all(
    controlPlanes.map(async (connection) => {
      const machine = context.connections.get(connection);
      const manifest = (await readManifestTexts(machine, context.signal)).get("kube-apiserver");
      return manifest === undefined || verifiesKubelets(manifest) ? [] : [machine.label];
    }),
  );
  const labels = without.flat();
  return labels.length === 0 ? undefined : `${labels.join(", ")}: the API server does not verify kubelets`;
}

/** Lets all API servers verify the certificates of kubelets. A deletion leaves the flags to `kubeadm:ControlPlane`. */
const kubeletAuthority: Handler<typeof kubeletAuthorityContract> = {
  contract: kubeletAuthorityContract,
  replaceOn: ["caCertHash"],
  ignore: ["controlPlanes"],
  ...clusterSetting({ id: ID, apply, findProblem }),
  /** Records what runs. Where an API server does not verify kubelets, the next update changes it. */
  async adopt(context, inputs) {
    const isSame = (await findProblem(context, inputs)) === undefined;
    return { id: ID, outputs: {}, isUnfinished: !isSame };
  },
};

export const kubeletAuthorityResource = register(kubeletAuthority);
