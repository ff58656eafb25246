import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";

/**
 * The address of the API server in everything that all nodes share: cluster-info, which joining nodes read, the pods of
 * kube-proxy and flannel, and the administrator's kubeconfigs on the control planes. `kubeadm init` writes it into a
 * new cluster; this resource changes it in an existing one.
 */
export const kubeadmEndpointContract = defineContract({
  type: "kubewright:kubeadm:Endpoint",
  inputs: z.strictObject({
    /** Connections to the control planes. */
    controlPlanes: controlPlanesSchema,
    /** `sha256:<hex>` of the public key of the cluster's CA. A change replaces the resource. */
    caCertHash: z.string(),
    /**
     * Address of the API server, `host:port`. Every node must reach it before it changes. A change restarts the pods of
     * kube-proxy and flannel; connections of other pods continue.
     */
    endpoint: z.string(),
    /** Seconds until the new pods of kube-proxy and flannel must be Ready. */
    timeout: z.number().positive(),
  }),
  outputs: z.object({}),
});
