import type { Runtime } from "../common/runtime";
import type { MachineFacts } from "./facts";

const COMMON = {
  kubelet: "/usr/local/bin",
  kubeadm: "/usr/local/bin",
  bridge: "/opt/cni/bin",
  loopback: "/opt/cni/bin",
  "host-local": "/opt/cni/bin",
  portmap: "/opt/cni/bin",
} as const;

const OF_CONTAINERD = {
  containerd: "/usr/local/bin",
  "containerd-shim-runc-v2": "/usr/local/bin",
  ctr: "/usr/local/bin",
  runc: "/usr/local/sbin",
} as const;

/** The engine is a package of the distribution, which brings containerd and runc with it. */
const OF_DOCKER = { "cri-dockerd": "/usr/local/bin" } as const;

type Places = typeof COMMON & Partial<typeof OF_CONTAINERD & typeof OF_DOCKER>;

/** The binaries of a node and where they live; `/opt/cni/bin` is where the runtimes and kubeadm expect CNI plugins. */
const PLACES: Readonly<Record<Runtime, Places>> = {
  containerd: { ...OF_CONTAINERD, ...COMMON },
  docker: { ...OF_DOCKER, ...COMMON },
};

export type NodeBinary = keyof Places;

export interface CachedFile {
  path: string;
  sha256: string;
}

export interface BinaryPlan {
  /** Path on the machine to SHA-256. */
  files: Record<string, string>;
  /** SHA-256 to path on the controller. */
  sources: Record<string, string>;
  /** SHA-256 by the binary's name; of those that a node with this runtime has. */
  hashes: Record<keyof typeof COMMON, string> & Partial<Record<NodeBinary, string>>;
}

/** Which binary goes where on a node. @throws when the cache has not what the runtime needs, which is our own mistake */
export function nodeBinaries(cached: Readonly<Partial<Record<NodeBinary, CachedFile>>>, runtime: Runtime): BinaryPlan {
  const found = (Object.entries(PLACES[runtime]) as [NodeBinary, string][]).map(([name, place]) => {
    const file = cached[name];
    if (!file) throw new Error(`${runtime} needs ${name}, and it was not brought`);
    return { name, path: `${place}/${name}`, file };
  });
  return {
    files: Object.fromEntries(found.map(({ path, file }) => [path, file.sha256])),
    sources: Object.fromEntries(found.map(({ file }) => [file.sha256, file.path])),
    hashes: Object.fromEntries(found.map(({ name, file }) => [name, file.sha256])) as BinaryPlan["hashes"],
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
