import { z } from "zod";
import { registerCall, type Call } from "../rpc/calls";
import { connectionSchema } from "../../contracts/connection";

const schema = z.strictObject({ controlPlanes: z.array(connectionSchema).min(1), caCertHash: z.string() });

/** Returns the administrator's kubeconfig of a running cluster. */
const kubeconfig: Call<z.infer<typeof schema>, { kubeconfig: string }> = {
  schema,
  secretOutputs: ["kubeconfig"],
  run: async ({ controlPlanes }, context) => ({
    kubeconfig: await context.kube.adminKubeconfig(controlPlanes, context.signal),
  }),
};

export const kubeconfigCall = registerCall(kubeconfig);
