import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";

/**
 * The pods of a DaemonSet whose update strategy is `OnDelete`. Pods of another revision are replaced: one first, and
 * the others once a pod of the new revision is Ready.
 */
export const daemonSetRolloutContract = defineContract({
  type: "kubewright:kube:DaemonSetRollout",
  inputs: z.strictObject({
    /** Connections to the control planes. The API server is reached through the first one that answers. */
    controlPlanes: controlPlanesSchema,
    /** `sha256:<hex>` of the public key of the cluster's CA. A change replaces the resource. */
    caCertHash: z.string(),
    /** Namespace of the DaemonSet. A change replaces the resource. */
    namespace: z.string(),
    /** Name of the DaemonSet. A change replaces the resource. */
    daemonSet: z.string(),
    /** The annotation `kubewright.dev/config` of the DaemonSet's pod template. */
    revision: z.string().min(1),
    /** Seconds until all pods must have the revision and be Ready. */
    timeout: z.number().positive(),
  }),
  outputs: z.object({}),
});
