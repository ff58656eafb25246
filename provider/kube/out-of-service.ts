import type { V1Taint } from "@kubernetes/client-node" with { "resolution-mode": "import" };

/**
 * Taint of a node whose machine is off. The controller manager deletes the node's pods and detaches its volumes.
 * https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown
 */
export const OUT_OF_SERVICE: V1Taint = {
  key: "node.kubernetes.io/out-of-service",
  value: "nodeshutdown",
  effect: "NoExecute",
};

export function isOutOfService({ key }: Pick<V1Taint, "key">): boolean {
  return key === OUT_OF_SERVICE.key;
}
