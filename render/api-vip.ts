import { isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { PKI } from "./component-paths";
import type { NodeFiles } from "./node-files";
import { template } from "./template";

export const VIP_UNIT = "kubewright-api-vip.service";

const FOLDER = "/etc/kubewright/api-vip";
export const VIP_CONFIG = `${FOLDER}/keepalived.conf`;
/** Script that succeeds while an API server of the cluster answers at the virtual address. */
export const VIP_PROBE = `${FOLDER}/probe.sh`;
/** Configuration with the name of the interface. */
const RUNNING = "/run/kubewright-api-vip.conf";

export interface VipOptions {
  /** Virtual address, which no machine has. */
  vip: string;
  /** Name of the control plane. */
  name: string;
  /** Its own address, on the same network segment. */
  address: string;
  /** Addresses of the other control planes. */
  peers: readonly string[];
  /** Port of the API servers. */
  port: number;
}

/**
 * Renders keepalived's unit, its configuration, and its scripts. keepalived gives the virtual address to one of the
 * control planes whose API servers are ready (VRRP, RFC 5798): https://keepalived.readthedocs.io
 */
export function vipFiles({ vip, name, address, peers, port }: VipOptions): NodeFiles {
  const host = isIPv6(vip) ? `[${vip}]` : vip;
  const [CA, PORT] = [`${PKI}/ca.crt`, String(port)];
  const file = (path: string, values: Record<string, string>) => ({
    content: template(`api-vip/${path}`, values),
    mode: 0o644,
  });
  const vrrp = { PREFIX: isIPv6(vip) ? "128" : "32", ROUTER: String(routerOf(vip)), PEERS: peersOf(peers) };
  return {
    [VIP_CONFIG]: file("keepalived.conf", { VIP: vip, PORT, NAME: name, ADDRESS: address, FOLDER, ...vrrp }),
    [VIP_PROBE]: file("probe.sh", { CA, HOST: host, PORT }),
    [`${FOLDER}/check.sh`]: file("check.sh", { PORT }),
    [`${FOLDER}/prepare.sh`]: file("prepare.sh", { VIP: vip, HOST: host, PORT, ADDRESS: address, CA, FOLDER, RUNNING }),
    [`/etc/systemd/system/${VIP_UNIT}`]: file(VIP_UNIT, { VIP: vip, FOLDER, RUNNING }),
  };
}

/** Without a peer, keepalived sends its advertisements by multicast. */
function peersOf(peers: readonly string[]): string {
  if (peers.length === 0) return "";
  return ["    unicast_peer {", ...peers.map((peer) => `        ${peer}`), "    }"].join("\n");
}

/** Clusters on one network segment need different numbers, from 1 to 255. Their virtual addresses differ too. */
function routerOf(vip: string): number {
  return ipaddr.parse(vip).toByteArray().at(-1) || 255;
}
