import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";

/** A Kubernetes object: every field of the API is allowed. */
export const kubernetesObjectSchema = z.looseObject({
  /** API group and version: `apps/v1`. */
  apiVersion: z.string(),
  /** Kind of the object: `DaemonSet`. */
  kind: z.string(),
  /** The object's metadata. */
  metadata: z.looseObject({
    /** Name of the object. */
    name: z.string(),
    /** Namespace of the object, if its kind has one. */
    namespace: z.string().optional(),
  }),
});

/** A group of Kubernetes objects, such as those of an add-on, applied by server-side apply. */
export const manifestsContract = defineContract({
  type: "kubewright:kube:Manifests",
  inputs: z.strictObject({
    /** Connections to the control planes. The API server is reached through the first one that answers. */
    controlPlanes: controlPlanesSchema,
    /**
     * `sha256:<hex>` of the public key of the cluster's CA. A change replaces the resource: everything is applied to
     * the other cluster.
     */
    caCertHash: z.string(),
    /** The objects, by any name that is unique in this resource. */
    objects: z.record(z.string(), kubernetesObjectSchema),
  }),
  outputs: z.object({}),
});
