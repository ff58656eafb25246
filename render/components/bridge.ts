import type { NodeFiles } from "../node-files";
import { template } from "../template";

export interface BridgeOptions {
  /** The machine's subnet of the pod range. */
  range: string;
  podCidr: string;
}

/** Sorted after flannel's 10-flannel.conflist, which has precedence while it exists. */
export const BRIDGE_CONFLIST = "/etc/cni/net.d/99-kubewright.conflist";

/**
 * Renders the pod network of one machine: a bridge with addresses of the machine's subnet. Flannel later uses the same
 * network name, bridge and subnet, so that pods keep their addresses when flannel is added or removed.
 */
export function bridgeConflist({ range, podCidr }: BridgeOptions): string {
  const ipam = { type: "host-local", ranges: [[{ subnet: range }]], routes: [{ dst: podCidr }] };
  const plugins = [
    { type: "bridge", bridge: "cni0", isDefaultGateway: true, hairpinMode: true, ipMasq: false, ipam },
    { type: "portmap", capabilities: { portMappings: true } },
  ];
  return `${JSON.stringify({ cniVersion: "1.0.0", name: "cbr0", plugins }, null, 2)}\n`;
}

/**
 * Renders the NAT of pods to the machine's address. One table instead of a chain per pod, whose chains would stay with
 * flannel.
 */
export function bridgeTable({ podCidr }: Pick<BridgeOptions, "podCidr">): string {
  return template("components/bridge.nft", { POD_CIDR: podCidr });
}

/** Renders kubewright-bridge.service, a oneshot unit. Stopping it removes the table. */
export function bridgeUnit(): string {
  return template("components/kubewright-bridge.service");
}

/** Returns a shell command that succeeds while the NAT rule is in place. */
export function bridgeProbe(): string {
  return "nft list table ip kubewright-pods | grep -q masquerade";
}

export function bridgeFiles(options: BridgeOptions): NodeFiles {
  return {
    [BRIDGE_CONFLIST]: { content: bridgeConflist(options), mode: 0o644 },
    "/etc/kubewright/bridge.nft": { content: bridgeTable(options), mode: 0o644 },
    "/etc/systemd/system/kubewright-bridge.service": { content: bridgeUnit(), mode: 0o644 },
  };
}
