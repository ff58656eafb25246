import type { ClusterConfig, CrossProblem } from "./types";

/** Checks that an endpoint of the kind `external`, and no other one, has an address. */
export function endpointAddress({ controlPlane: { endpoint } }: ClusterConfig): CrossProblem[] {
  const path = "controlPlane.endpoint.address";
  const about = ["controlPlane.endpoint.kind"];
  if (endpoint.kind === "external" && endpoint.address === undefined)
    return [
      { path, reason: "is missing", action: "set the address that leads to the control planes, as host:port", about },
    ];
  if (endpoint.kind !== "external" && endpoint.address !== undefined)
    return [
      {
        path,
        reason: `is not used by an endpoint of kind ${endpoint.kind}`,
        action: "leave it out, or set controlPlane.endpoint.kind: external",
        about,
      },
    ];
  return [];
}
