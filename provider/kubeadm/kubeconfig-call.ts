import { kubeconfigCallContract } from "../../contracts/kubeadm/kubeconfig";
import { registerCall, type Call } from "../rpc/calls";

/** Returns the administrator's kubeconfig of a running cluster. */
const kubeconfig: Call<typeof kubeconfigCallContract> = {
  contract: kubeconfigCallContract,
  run: async ({ controlPlanes, endpoints }, context) => ({
    kubeconfig: await context.kube.adminKubeconfig(controlPlanes, context.signal, endpoints),
  }),
};

export const kubeconfigCall = registerCall(kubeconfig);
