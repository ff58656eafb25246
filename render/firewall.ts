import type { FlannelBackend } from "./flannel";
import type { MachineRole } from "./preflight-types";

export interface FirewallRules {
  /** `6443/tcp`, `30000-32767/udp` */
  ports: string[];
  /** What comes from them, or goes to them, is let through. */
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
const CONTROL_PLANE = ["6443/tcp", "2379-2380/tcp"];
/** VXLAN's port on Linux, as flannel has it. */
const VXLAN = "8472/udp";

/** What a firewall on a node must let in; what is not open to other nodes on purpose (scheduler, controller manager) is not among it. */
export function firewallRules({ role, podCidr, serviceCidr, backend }: FirewallOptions): FirewallRules {
  return {
    ports: [...(role === "control-plane" ? CONTROL_PLANE : []), ...EVERY_NODE, ...(backend === "vxlan" ? [VXLAN] : [])],
    ranges: [podCidr, serviceCidr],
  };
}
