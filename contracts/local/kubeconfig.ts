import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";

/**
 * The administrator's access to the cluster in a kubeconfig file on the computer that runs Pulumi. A new file has mode
 * 0600. In an existing kubeconfig, the cluster, the user and the context are added, and other entries stay as they are;
 * the deletion of the resource removes only what it added. The content is not in the state.
 */
export const kubeconfigContract = defineContract({
  type: "kubewright:local:Kubeconfig",
  inputs: z.strictObject({
    /**
     * Path of the file: relative to the folder of the project, absolute, or with `~/` for the home folder. The state
     * has no folder of one computer. A file that is not on this computer is written again. A change replaces the
     * resource.
     */
    path: z.string().min(1),
    /** Connections to the control planes. The kubeconfig is read from the first one whose API server is ready. */
    controlPlanes: controlPlanesSchema,
    /**
     * Address of the API server, `host:port`, that the kubeconfig names when it is read from the control plane at the
     * same position.
     * @default the one that the control plane's own kubeconfig names
     */
    endpoints: z.array(z.string()).optional(),
    /** `sha256:<hex>` of the public key of the cluster's CA. A change writes the other cluster's entries. */
    caCertHash: z.string(),
    /** Id of the backup from which the cluster was last restored: its administrator has another certificate then. */
    restoredFrom: z.string().optional(),
    /**
     * Set by a refresh if the cluster's entries differ, so that the next `pulumi up` writes them again. Leave it unset
     * in programs.
     */
    problem: z.string().optional(),
  }),
  outputs: z.object({
    /** SHA-256 of the entries that were written; in states of older versions, of the whole file. */
    sha256: z.string(),
    /**
     * Names of the entries: kubeadm's (`kubernetes-admin@kubernetes`), with a part of the CA's hash at the end where
     * another cluster has the same names. Absent in states of older versions.
     */
    entries: z
      .object({
        /** Name of the cluster. */
        cluster: z.string(),
        /** Name of the user. */
        user: z.string(),
        /** Name of the context: `kubectl --context NAME`. */
        context: z.string(),
      })
      .optional(),
    /** Whether the file did not exist before. It is deleted together with its last entry. Absent in older states. */
    created: z.boolean().optional(),
    /**
     * Hashes of the CAs in the cluster's entry, where they differ from `caCertHash`: after a rotation of CAs, by which
     * the cluster stays the same.
     */
    authorities: z.array(z.string()).optional(),
  }),
});
