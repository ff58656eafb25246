import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";

/** The images of the add-ons that kubeadm deploys. An upgrade changes them once all nodes have the new version. */
export const addOnsContract = defineContract({
  type: "kubewright:kubeadm:AddOns",
  inputs: z.strictObject({
    /** Connections to the control planes. The API server is reached through the first one that answers. */
    controlPlanes: controlPlanesSchema,
    /** `sha256:<hex>` of the public key of the cluster's CA. A change replaces the resource. */
    caCertHash: z.string(),
    /** Image of kube-proxy. */
    kubeProxy: z.string().min(1),
    /** Image of CoreDNS. */
    coreDns: z.string().min(1),
    /** Seconds until the pods of a changed image must be ready. */
    timeout: z.number().positive(),
  }),
  outputs: z.object({}),
});
