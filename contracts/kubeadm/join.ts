import { z } from "zod";
import type { JoinConfiguration } from "../../render/kubeadm-types";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";
import { jsonObject } from "../json";
import { onMachine } from "../on-machine";

/** A machine's membership in a cluster, created by `kubeadm join` with its own bootstrap token. */
export const kubeadmJoinContract = defineContract({
  type: "kubewright:kubeadm:Join",
  inputs: z.strictObject({
    ...onMachine,
    /** Connections to the control planes. The token is created through the first one that answers. */
    controlPlanes: controlPlanesSchema,
    /** A kubeadm.k8s.io/v1beta4 JoinConfiguration, without secrets. */
    document: jsonObject<JoinConfiguration>(),
    /**
     * Address of the API server, `host:port`, that the node's kubelet uses. A change restarts the kubelet; pods keep
     * running. The kubelet of a control plane uses the API server on the same machine, so leave it unset there.
     */
    endpoint: z.string().optional(),
    /** `sha256:<hex>` of the public key of the cluster's CA. A machine of another cluster joins again. */
    caCertHash: z.string(),
    /** Seconds that `kubeadm join` may take. */
    timeout: z.number().positive(),
  }),
  outputs: z.object({}),
});
