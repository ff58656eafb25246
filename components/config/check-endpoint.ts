import { isIP } from "node:net";
import { kindOf } from "./kinds";
import { KINDS } from "./machine-kinds";
import type { ClusterConfig, CrossProblem } from "./types";

const PATH = "controlPlane.endpoint.address";
const KIND = "controlPlane.endpoint.kind";

/** What the address of each kind of endpoint is; undefined where it has none. */
const EXPECTED = {
  nodes: undefined,
  loadBalancer: undefined,
  vip: "set an IP address that no machine has, in the network segment of the control planes, without a port",
  external: "set the address that leads to the control planes, as host:port",
} as const;

/** Checks that the address of an endpoint is what its kind needs. */
export function endpointAddress({ bootstrap, controlPlane: { endpoint } }: ClusterConfig): CrossProblem[] {
  const { kind, address } = endpoint;
  const action = EXPECTED[kind];
  const problem = (reason: string, advice: string) => [{ path: PATH, reason, action: advice, about: [KIND] }];
  if ((kind === "vip" || kind === "loadBalancer") && bootstrap === "components")
    return [
      {
        path: KIND,
        reason: `cannot be ${kind}: a cluster that is built by components has one control plane`,
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

/** Refuses a load balancer for control planes of a kind that has none. */
export function endpointLoadBalancer({ machines, controlPlane }: ClusterConfig): CrossProblem[] {
  const { name, hasLoadBalancer } = kindOf({ machines }, controlPlane);
  if (controlPlane.endpoint.kind !== "loadBalancer" || hasLoadBalancer === true) return [];
  const clouds = KINDS.filter((kind) => kind.hasLoadBalancer).map((kind) => kind.name);
  return [
    {
      path: KIND,
      reason:
        `cannot be loadBalancer: the control planes are machines of kind ${name}, for which Kubewright creates no ` +
        `load balancer; it does for the kinds ${clouds.join(", ")}`,
      action: "set vip and an address in the network segment of the control planes, or external and your own address",
      about: ["machines.kind", "controlPlane.machines"],
    },
  ];
}
