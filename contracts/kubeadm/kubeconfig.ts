import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";
import { secret } from "../secret";

/** A function that reads the administrator's kubeconfig of a running cluster. */
export const kubeconfigCallContract = defineContract({
  type: "kubewright:kubeadm:kubeconfig",
  inputs: z.strictObject({
    /** Connections to the control planes. The kubeconfig is read from the first one whose API server is ready. */
    controlPlanes: controlPlanesSchema,
    /**
     * Address of the API server, `host:port`, that the kubeconfig names when it is read from the control plane at the
     * same position.
     * @default the one that the control plane's own kubeconfig names
     */
    endpoints: z.array(z.string()).optional(),
    /** `sha256:<hex>` of the public key of the cluster's CA. */
    caCertHash: z.string(),
  }),
  outputs: z.object({
    /** The kubeconfig, YAML. */
    kubeconfig: secret(z.string()),
  }),
});
