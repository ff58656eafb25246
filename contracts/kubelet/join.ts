import { z } from "zod";
import { controlPlanesSchema } from "../connection";
import { defineContract } from "../contract";
import { textFilesSchema } from "../files";
import { onMachine } from "../on-machine";
import { secret } from "../secret";

/** A CA with its private key. */
const signerSchema = z.strictObject({
  /** The CA's certificate, PEM. */
  certificate: z.string(),
  /** The CA's private key, PEM. */
  key: secret(z.string()),
});

const rangesSchema = z.strictObject({
  /** Range from which pods get their addresses. */
  podCidr: z.string(),
  /** Range from which services get their addresses. */
  serviceCidr: z.string(),
});

/**
 * A kubelet's membership in a cluster, by TLS bootstrap with its own token. Without it the kubelet runs standalone.
 */
export const kubeletJoinContract = defineContract({
  type: "kubewright:kubelet:Join",
  inputs: z.strictObject({
    ...onMachine,
    /** Connections to the control planes. The token is created through the first one that answers. */
    controlPlanes: controlPlanesSchema,
    /** Name of the node. A change replaces the resource. */
    node: z.string(),
    /** Name of the cluster in the kubelet's kubeconfig. */
    clusterName: z.string(),
    /** `host:port` at which nodes reach the API server. */
    endpoint: z.string(),
    /** Ranges of the cluster, on the first control plane. A change in an existing cluster is refused. */
    ranges: rangesSchema.optional(),
    /** `sha256:<hex>` of the public key of the cluster's CA. A machine of another cluster joins again. */
    caCertHash: z.string(),
    /** Files that the kubelet reads only as a member of a cluster, by path. A change restarts the kubelet. */
    files: textFilesSchema,
    /** The cluster's CA, which signs the kubelet's certificates if no controller manager does. */
    signer: signerSchema.optional(),
    /** Seconds that the TLS bootstrap may take. */
    timeout: z.number().positive(),
  }),
  outputs: z.object({}),
});
