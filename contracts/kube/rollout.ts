import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";
import { jsonObject } from "../json";

/** A Deployment that another tool created, such as CoreDNS: patched, and waited for until it is Available. */
export const rolloutContract = defineContract({
  type: "kubewright:kube:Rollout",
  inputs: z.strictObject({
    /** Connections to the control planes. The API server is reached through the first one that answers. */
    controlPlanes: controlPlanesSchema,
    /** `sha256:<hex>` of the public key of the cluster's CA. A change replaces the resource. */
    caCertHash: z.string(),
    /** Namespace of the Deployment. A change replaces the resource. */
    namespace: z.string(),
    /** Name of the Deployment. A change replaces the resource. */
    deployment: z.string(),
    /** Strategic merge patch that is applied first. */
    patch: jsonObject().optional(),
    /**
     * Changes with the Deployment's pods, such as the image of their containers. All pods must then have the
     * Deployment's current template.
     * @default the Deployment must be Available
     */
    revision: z.string().min(1).optional(),
    /** Seconds until the Deployment must be Available. */
    timeout: z.number().positive(),
  }),
  outputs: z.object({}),
});
