import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";

/**
 * Lets every API server verify the serving certificates of kubelets by the cluster's CA, once each kubelet serves such
 * a certificate. The control planes change one after the other.
 */
export const kubeletAuthorityContract = defineContract({
  type: "kubewright:kubeadm:KubeletAuthority",
  inputs: z.strictObject({
    /** Connections to all control planes. */
    controlPlanes: controlPlanesSchema,
    /** Names of the control planes' nodes, in the same order. */
    nodes: z.array(z.string().min(1)).min(1),
    /** `sha256:<hex>` of the public key of the cluster's CA. A change replaces the resource. */
    caCertHash: z.string(),
    /** Set by a refresh if an API server does not verify kubelets, so that the next `pulumi up` repairs it. */
    problem: z.string().optional(),
  }),
  outputs: z.object({}),
});
