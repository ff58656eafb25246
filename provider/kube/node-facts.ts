import type { V1Node } from "@kubernetes/client-node" with { "resolution-mode": "import" };

/** Label of the nodes that are control planes. */
export const CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane";

export function isControlPlane({ metadata }: V1Node): boolean {
  return metadata?.labels?.[CONTROL_PLANE_LABEL] !== undefined;
}

/** Returns the conditions for which a node that is Ready gets no ordinary pods: `DiskPressure`. */
export function pressuresOf({ status }: V1Node): string[] {
  const conditions = status?.conditions ?? [];
  return conditions
    .filter(({ type, status: value }) => type.endsWith("Pressure") && value === "True")
    .map(({ type }) => type);
}

/** Returns the version that the node's kubelet reports, without the prefix `v`; undefined before its first report. */
export function kubeletVersionOf({ status }: V1Node): string | undefined {
  return status?.nodeInfo?.kubeletVersion?.replace(/^v/, "");
}
