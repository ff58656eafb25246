import { isAbsolute } from "node:path";
import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";

/**
 * The administrator's kubeconfig as a file on the computer that runs Pulumi, mode 0600. Its content is not in the
 * state.
 */
export const kubeconfigContract = defineContract({
  type: "kubewright:local:Kubeconfig",
  inputs: z.strictObject({
    /** Absolute path of the file. A change replaces the resource. */
    path: z.string().refine(isAbsolute, "the path of a kubeconfig is absolute"),
    /** Connections to the control planes. The kubeconfig is read from the first one that answers. */
    controlPlanes: controlPlanesSchema,
    /** `sha256:<hex>` of the public key of the cluster's CA. A change writes the other cluster's kubeconfig. */
    caCertHash: z.string(),
    /**
     * Set by a refresh if the file differs, so that the next `pulumi up` writes it again. Leave it unset in programs.
     */
    problem: z.string().optional(),
  }),
  outputs: z.object({
    /** SHA-256 of the kubeconfig that was written. */
    sha256: z.string(),
  }),
});
