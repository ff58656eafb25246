import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "./api";
import { retryRequest } from "./retry";

/** The API server adds this taint when a node registers; the controller manager removes it when the node is Ready. */
const NOT_READY_TAINT = "node.kubernetes.io/not-ready";

interface AdmitNodeOptions {
  node: string;
  /** The node's share of the cluster's pod range. */
  podCidr?: string | undefined;
  /** The cluster has no controller manager. */
  uncontrolled?: boolean | undefined;
  signal: AbortSignal;
}

/**
 * Does what a controller manager would do for a Ready node: assigns its pod CIDR where none is assigned, and, in a
 * cluster without a controller manager, removes the taint that keeps pods away.
 */
export async function admitNode(
  api: KubeApi,
  { spec: { podCIDR, taints = [] } = {} }: V1Node,
  { node: name, podCidr, uncontrolled = false, signal }: AdmitNodeOptions,
): Promise<void> {
  const remaining = taints.filter(({ key }) => key !== NOT_READY_TAINT);
  const spec = {
    ...(podCidr !== undefined && podCIDR === undefined ? { podCIDR: podCidr, podCIDRs: [podCidr] } : {}),
    ...(uncontrolled && remaining.length < taints.length ? { taints: remaining } : {}),
  };
  if (Object.keys(spec).length === 0) return;
  await retryRequest(api, "assigning the node's pod CIDR", signal, () =>
    api.core.patchNode({ name, body: { spec } }, api.mergePatch),
  );
}
