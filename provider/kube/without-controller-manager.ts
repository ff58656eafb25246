import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import type { KubeApi } from "./api";
import { retryRequest } from "./retry";

/** Set by the API server when a node registers, and taken away by the controller manager when it is Ready. */
const NOT_READY = "node.kubernetes.io/not-ready";

interface AdmitNodeOptions {
  node: string;
  /** This node's part of the pod range. */
  podCidr?: string | undefined;
  /** There is no controller manager. */
  uncontrolled?: boolean | undefined;
  signal: AbortSignal;
}

/**
 * What a controller manager does for a node that is Ready, and here does not: the node's part of the pod range, which is known before any
 * controller is there; and, where none is there yet, the end of the taint that keeps pods away.
 */
export async function admitNode(
  api: KubeApi,
  live: V1Node,
  { node: name, podCidr, uncontrolled, signal }: AdmitNodeOptions,
): Promise<void> {
  const range =
    podCidr !== undefined && live.spec?.podCIDR === undefined ? { podCIDR: podCidr, podCIDRs: [podCidr] } : {};
  const taints = live.spec?.taints ?? [];
  const others = taints.filter(({ key }) => key !== NOT_READY);
  const free = uncontrolled && others.length < taints.length ? { taints: others } : {};
  const spec = { ...range, ...free };
  if (Object.keys(spec).length === 0) return;
  await retryRequest("setting the node's pod range", signal, () =>
    api.core.patchNode({ name, body: { spec } }, api.mergePatch),
  );
}
