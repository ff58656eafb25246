import type { NodeFiles } from "../node-files";
import { template } from "../template";

export interface BridgeOptions {
  /** This machine's part of the pod range. */
  range: string;
  podCidr: string;
}

/** Read after flannel's 10-flannel.conflist: while that is there, it rules. */
export const BRIDGE_CONFLIST = "/etc/cni/net.d/99-kubewright.conflist";

/**
 * The pod network of one machine: a bridge, and addresses of the machine's own part of the range. Network, bridge and part are those
 * that flannel takes over later: so pods keep their addresses when the network comes to span machines, and when it goes.
 */
export function bridgeConflist({ range, podCidr }: BridgeOptions): string {
  const ipam = { type: "host-local", ranges: [[{ subnet: range }]], routes: [{ dst: podCidr }] };
  const plugins = [
    { type: "bridge", bridge: "cni0", isDefaultGateway: true, hairpinMode: true, ipMasq: false, ipam },
    { type: "portmap", capabilities: { portMappings: true } },
  ];
  return `${JSON.stringify({ cniVersion: "1.0.0", name: "cbr0", plugins }, null, 2)}\n`;
}

/** Pods reach the world by the machine's address: in one table, not a chain for each pod, which would stay when flannel takes over. */
export function bridgeTable({ podCidr }: Pick<BridgeOptions, "podCidr">): string {
  return template("components/bridge.nft", { POD_CIDR: podCidr });
}

/** kubewright-bridge.service: oneshot, and stopping it undoes all it did. */
export function bridgeUnit(): string {
  return template("components/kubewright-bridge.service");
}

export function bridgeFiles(options: BridgeOptions): NodeFiles {
  return {
    [BRIDGE_CONFLIST]: { content: bridgeConflist(options), mode: 0o644 },
    "/etc/kubewright/bridge.nft": { content: bridgeTable(options), mode: 0o644 },
    "/etc/systemd/system/kubewright-bridge.service": { content: bridgeUnit(), mode: 0o644 },
  };
}
