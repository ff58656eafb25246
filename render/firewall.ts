import { AGENT_PORT } from "./api-balancer";
import type { FlannelBackend } from "./flannel";
import type { MachineRole } from "./preflight-types";

export interface FirewallRules {
  /** Open ports: `6443/tcp`, `30000-32767/udp`. */
  ports: string[];
  /** CIDRs to and from which all traffic is allowed. */
  ranges: string[];
}

export interface FirewallOptions {
  role: MachineRole;
  podCidr: string;
  serviceCidr: string;
  backend: FlannelBackend;
}

/** https://kubernetes.io/docs/reference/networking/ports-and-protocols/ */
const EVERY_NODE = ["10250/tcp", "10256/tcp", "30000-32767/tcp", "30000-32767/udp"];
const CONTROL_PLANE = ["6443/tcp", "2379-2380/tcp", `${AGENT_PORT}/tcp`];
/** Flannel's VXLAN port, which is the default on Linux. */
const VXLAN = "8472/udp";

/**
 * Returns what a node's firewall must allow. The ports of the scheduler and controller manager are not reachable from
 * other nodes.
 */
export function firewallRules({ role, podCidr, serviceCidr, backend }: FirewallOptions): FirewallRules {
  return {
    ports: [...(role === "control-plane" ? CONTROL_PLANE : []), ...EVERY_NODE, ...(backend === "vxlan" ? [VXLAN] : [])],
    ranges: [podCidr, serviceCidr],
  };
}
