import type { MachineFacts } from "./facts";

/** The binaries of a node and where they live; `/opt/cni/bin` is where containerd and kubeadm expect CNI plugins. */
const PLACES = {
  containerd: "/usr/local/bin",
  "containerd-shim-runc-v2": "/usr/local/bin",
  ctr: "/usr/local/bin",
  runc: "/usr/local/sbin",
  kubelet: "/usr/local/bin",
  kubeadm: "/usr/local/bin",
  bridge: "/opt/cni/bin",
  loopback: "/opt/cni/bin",
  "host-local": "/opt/cni/bin",
  portmap: "/opt/cni/bin",
} as const;

export type NodeBinary = keyof typeof PLACES;

export interface CachedFile {
  path: string;
  sha256: string;
}

export interface BinaryPlan {
  /** Path on the machine to SHA-256. */
  files: Record<string, string>;
  /** SHA-256 to path on the controller. */
  sources: Record<string, string>;
  /** SHA-256 by the binary's name. */
  hashes: Record<NodeBinary, string>;
}

/** Which binary goes where on a node. */
export function nodeBinaries(cached: Readonly<Record<NodeBinary, CachedFile>>): BinaryPlan {
  const names = Object.keys(PLACES) as NodeBinary[];
  return {
    files: Object.fromEntries(names.map((name) => [`${PLACES[name]}/${name}`, cached[name].sha256])),
    sources: Object.fromEntries(names.map((name) => [cached[name].sha256, cached[name].path])),
    hashes: Object.fromEntries(names.map((name) => [name, cached[name].sha256])) as Record<NodeBinary, string>,
  };
}

/**
 * What kubeadm's preflight, kube-proxy and the kubelet call by name, by the distribution's package.
 * https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/
 */
const PACKAGES: Record<MachineFacts["osFamily"], readonly string[]> = {
  debian: ["iproute2", "iptables", "nftables", "conntrack", "ethtool", "kmod", "procps", "socat"],
  fedora: ["iproute", "iptables-nft", "nftables", "conntrack-tools", "ethtool", "kmod", "procps-ng", "socat"],
  other: [],
};

export function requiredPackages({ osFamily }: Pick<MachineFacts, "osFamily">): string[] {
  return [...PACKAGES[osFamily]];
}
