import { z } from "zod";
import { adminKubeconfig } from "../kube/api";
import { registerCall, type Call } from "../rpc/calls";
import { connectionSchema } from "../../contracts/connection";

const schema = z.strictObject({ controlPlanes: z.array(connectionSchema).min(1), caCertHash: z.string() });

/** The administrator's kubeconfig of a living cluster. */
const kubeconfig: Call<z.infer<typeof schema>, { kubeconfig: string }> = {
  schema,
  secretOutputs: ["kubeconfig"],
  run: async ({ controlPlanes }, signal) => ({ kubeconfig: await adminKubeconfig(controlPlanes, signal) }),
};

export const kubeconfigCall = registerCall(kubeconfig);
