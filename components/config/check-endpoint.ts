import { isIP } from "node:net";
import type { ClusterConfig, CrossProblem } from "./types";

const PATH = "controlPlane.endpoint.address";
const KIND = "controlPlane.endpoint.kind";

/** What the address of each kind of endpoint is; undefined where it has none. */
const EXPECTED = {
  nodes: undefined,
  vip: "set an IP address that no machine has, in the network segment of the control planes, without a port",
  external: "set the address that leads to the control planes, as host:port",
} as const;

/** Checks that the address of an endpoint is what its kind needs. */
export function endpointAddress({ bootstrap, controlPlane: { endpoint } }: ClusterConfig): CrossProblem[] {
  const { kind, address } = endpoint;
  const action = EXPECTED[kind];
  const problem = (reason: string, advice: string) => [{ path: PATH, reason, action: advice, about: [KIND] }];
  if (kind === "vip" && bootstrap === "components")
    return [
      {
        path: KIND,
        reason: "cannot be vip: a cluster that is built by components has one control plane",
        action: "leave it out, or set bootstrap: kubeadm",
        about: ["bootstrap"],
      },
    ];
  if (action === undefined)
    return address === undefined
      ? []
      : problem(`is not used by an endpoint of kind ${kind}`, `leave it out, or set ${KIND}: external`);
  if (address === undefined) return problem("is missing", action);
  return (isIP(address) !== 0) === (kind === "vip") ? [] : problem(`does not fit an endpoint of kind ${kind}`, action);
}
