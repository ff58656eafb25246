import { z } from "zod";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import { defineContract } from "../contract";
import { jsonObject } from "../json";
import { onMachine } from "../on-machine";

/**
 * What every control plane is: its static pods with their flags, and its certificates. `pulumi up` renews certificates
 * that end within 30 days, component by component.
 */
export const controlPlaneContract = defineContract({
  type: "kubewright:kubeadm:ControlPlane",
  inputs: z.strictObject({
    ...onMachine,
    /** Name of the machine's node. */
    node: z.string().min(1),
    /**
     * kubeadm.k8s.io/v1beta4 InitConfiguration of this node and ClusterConfiguration of the cluster, without secrets. A
     * change restarts only the components whose manifests differ.
     */
    documents: z.array(jsonObject<KubeadmDocument>()).min(1),
    /**
     * Whether the API servers verify the serving certificates of kubelets, where the cluster's CA signs them. With
     * `verified`, an API server that does not verify them yet stays so: `kubeadm:KubeletAuthority` changes it once all
     * kubelets have a certificate. On an existing control plane, `verified` cannot be left out.
     */
    kubeletCertificates: z.enum(["verified", "unverified"]).optional(),
    /**
     * Set by a refresh if the control plane differs from its configuration, so that the next `pulumi up` repairs it.
     * Leave it unset in programs.
     */
    problem: z.string().optional(),
  }),
  outputs: z.object({
    /** SHA-256 of each static pod's manifest, by component, as it was last written. */
    manifests: z.record(z.string(), z.string()),
    /**
     * When the first certificate of the control plane is renewed, ISO 8601: 30 days before its end, or in the last
     * third of a shorter lifetime. Absent in states of older versions until the next refresh.
     */
    renewAfter: z.string().optional(),
  }),
});
