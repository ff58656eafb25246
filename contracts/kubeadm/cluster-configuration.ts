import { z } from "zod";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";
import { jsonObject } from "../json";

/** kubeadm's and kube-proxy's configuration in the cluster, which joining nodes and later upgrades read. */
export const clusterConfigurationContract = defineContract({
  type: "kubewright:kubeadm:ClusterConfiguration",
  inputs: z.strictObject({
    /** Connections to the control planes. The API server is reached through the first one that is ready. */
    controlPlanes: controlPlanesSchema,
    /** `sha256:<hex>` of the public key of the cluster's CA. Another cluster has its own configuration. */
    caCertHash: z.string(),
    /** A kubeadm.k8s.io/v1beta4 ClusterConfiguration and a KubeProxyConfiguration. */
    documents: z.array(jsonObject<KubeadmDocument>()).min(1),
    /**
     * Set by a refresh if the cluster's configuration differs, so that the next `pulumi up` repairs it. Leave it unset
     * in programs.
     */
    problem: z.string().optional(),
  }),
  outputs: z.object({}),
});
