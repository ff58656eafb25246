import { BlockList, isIP } from "node:net";
import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import type { Connection } from "../../contracts/connection";

type Interfaces = Record<string, NetworkInterfaceInfo[] | undefined>;

/**
 * Whether this computer reaches the machine without a router: a container or VM on this computer, or a machine in the
 * same network. Names of hosts are not resolved, and count as far away.
 */
export function isOnOwnNetwork(
  { host, jump }: Pick<Connection, "host" | "jump">,
  interfaces: Interfaces = networkInterfaces(),
): boolean {
  const version = isIP(host);
  if (jump !== undefined || version === 0) return false;
  const own = new BlockList();
  for (const { cidr, family } of Object.values(interfaces).flatMap((addresses) => addresses ?? [])) {
    const [address = "", prefix] = cidr?.split("/") ?? [];
    if (isIP(address) !== 0) own.addSubnet(address, Number(prefix), family === "IPv6" ? "ipv6" : "ipv4");
  }
  return own.check(host, version === 6 ? "ipv6" : "ipv4");
}
