import { z } from "zod";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import { defineContract } from "../contract";
import { jsonObject } from "../json";
import { onMachine } from "../on-machine";
import { restoreFromSchema } from "./restore-from";

/** The first control plane, created by `kubeadm init`. An interrupted init is resumed. */
export const kubeadmInitContract = defineContract({
  type: "kubewright:kubeadm:Init",
  inputs: z.strictObject({
    ...onMachine,
    /** kubeadm.k8s.io/v1beta4 documents, without secrets. */
    documents: z.array(jsonObject<KubeadmDocument>()).min(1),
    /**
     * Names of all control planes, this one first. They are used only to refuse changes that would lose the cluster;
     * a change of them changes nothing on the machine.
     */
    controlPlanes: z.array(z.string()).optional(),
    /**
     * Names of all nodes, this machine's included. While there are others, `kubeadm init` does not run a second time:
     * a new cluster would reset them. A change of them changes nothing on the machine.
     */
    nodes: z.array(z.string()).optional(),
    /** Seconds that `kubeadm init` may take. */
    timeout: z.number().positive(),
    /**
     * Creates the cluster from a backup when its control planes are lost, or in a new stack. A cluster that exists does
     * not change.
     */
    restoreFrom: restoreFromSchema.optional(),
  }),
  outputs: z.object({
    /** `sha256:<hex>` of the public key of the cluster's CA. */
    caCertHash: z.string(),
    /** Id of the backup from which the cluster was last restored by this resource. */
    restoredFrom: z.string().optional(),
  }),
});
