import { z } from "zod";
import { connectionSchema, controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";
import { drainSchema } from "../drain";
import { sha256Schema } from "../files";

const taintSchema = z.strictObject({
  /** Key of the taint. */
  key: z.string(),
  /** Value of the taint. */
  value: z.string().optional(),
  /** Effect on pods that do not tolerate the taint. */
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});

/** A joined node: Ready, labelled, tainted. Deleting it drains the node and removes it from the cluster. */
export const nodeContract = defineContract({
  type: "kubewright:kube:Node",
  inputs: z.strictObject({
    /** Connections to the control planes. The API server is reached through the first one that answers. */
    controlPlanes: controlPlanesSchema,
    /** Name of the node. A change replaces the resource. */
    node: z.string(),
    /** The machine-id, an output of `Host`. A rebuilt machine is another node. */
    instance: z.string(),
    /** Id of the resource that made the machine a member. If that is replaced, the node leaves the cluster first. */
    membership: z.string(),
    /** Version of the node's kubelet, without `v`. */
    version: z.string().optional(),
    /**
     * SHA-256 of the kubelet. If it is set, a change of it or of `version` replaces the kubelet of the node, which is
     * drained for another minor version. Otherwise a change of `version` on an existing node is refused.
     */
    program: sha256Schema.optional(),
    /**
     * Whether kubeadm writes the configuration of a new kubelet. Without kubeadm, the kubelet's unit has it.
     * @default true
     */
    usesKubeadm: z.boolean().optional(),
    /**
     * Id of the backup from which the cluster was last restored. After a change, a node that the backup does not have
     * registers again.
     */
    restoredFrom: z.string().optional(),
    /**
     * Addresses of a node whose kubelet serves with a certificate of the cluster's CA. Its request is approved if it
     * has only the node's name and these addresses.
     * @default the kubelet's certificate is not of concern
     */
    servingAddresses: z.array(z.string()).min(1).optional(),
    /** Labels. Labels that others set are left alone. */
    labels: z.record(z.string(), z.string()),
    /** Annotations. Annotations that others set are left alone. */
    annotations: z.record(z.string(), z.string()),
    /** Taints. */
    taints: z.array(taintSchema),
    /** Whether new pods may be scheduled on the node. */
    schedulable: z.boolean(),
    /** The node's pod CIDR, if no controller manager assigns one. */
    podCidr: z.string().optional(),
    /** Whether the cluster has no controller manager to report that the node is Ready. */
    uncontrolled: z.boolean().optional(),
    /** Seconds until the node must be Ready. */
    readyTimeout: z.number().positive(),
    /**
     * Seconds for which the cluster must stay healthy after an upgrade of the node's kubelet. Otherwise the previous
     * kubelet is put back.
     */
    soak: z.number().nonnegative().optional(),
    /** How the node is drained before it leaves the cluster. */
    drain: drainSchema,
    /** Pool of the node. Nodes of one pool can replace each other. */
    pool: z.string().min(1),
    /** How many nodes of the pool may be unavailable while this one leaves. */
    maxUnavailable: z.int().positive(),
    /** Connection to the node's own machine, to prove that the machine of a silent node is gone. */
    connection: connectionSchema,
  }),
  outputs: z.object({
    /** Version of the node's kubelet: `v1.36.3`. */
    kubeletVersion: z.string(),
  }),
});
