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

const CONTAINERD = {
  containerd: "/usr/local/bin",
  "containerd-shim-runc-v2": "/usr/local/bin",
  ctr: "/usr/local/bin",
  runc: "/usr/local/sbin",
} as const;

/** Docker Engine is a package of the distribution, and includes containerd and runc. */
const DOCKER = { "cri-dockerd": "/usr/local/bin" } as const;

type BinaryFolders = typeof COMMON & Partial<typeof CONTAINERD & typeof DOCKER>;

/** The folder of each binary on a node. Runtimes and kubeadm expect CNI plugins in `/opt/cni/bin`. */
const FOLDERS: Readonly<Record<Runtime, BinaryFolders>> = {
  containerd: { ...CONTAINERD, ...COMMON },
  docker: { ...DOCKER, ...COMMON },
};

export type NodeBinary = keyof BinaryFolders;

export interface CachedFile {
  path: string;
  sha256: string;
}

export interface BinaryPlan {
  /** Path on the machine to SHA-256. */
  files: Record<string, string>;
  /** SHA-256 to path on the controller. */
  sources: Record<string, string>;
  /** Name of the binary to SHA-256, for the binaries of a node with this runtime. */
  hashes: Record<keyof typeof COMMON, string> & Partial<Record<NodeBinary, string>>;
}

/**
 * Plans the paths of a node's binaries.
 * @throws Error when a binary is not in the cache, which is a bug in Kubewright
 */
export function nodeBinaries(cached: Readonly<Partial<Record<NodeBinary, CachedFile>>>, runtime: Runtime): BinaryPlan {
  const binaries = (Object.entries(FOLDERS[runtime]) as [NodeBinary, string][]).map(([name, folder]) => {
    const file = cached[name];
    if (!file) throw new Error(`${runtime} needs ${name}, which is not in the cache`);
    return { name, path: `${folder}/${name}`, file };
  });
  return {
    files: Object.fromEntries(binaries.map(({ path, file }) => [path, file.sha256])),
    sources: Object.fromEntries(binaries.map(({ file }) => [file.sha256, file.path])),
    hashes: Object.fromEntries(binaries.map(({ name, file }) => [name, file.sha256])) as BinaryPlan["hashes"],
  };
}

/**
 * Packages of the programs that kubeadm's preflight checks, kube-proxy and the kubelet call.
 * Source: https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/
 */
const PACKAGES: Record<MachineFacts["osFamily"], readonly string[]> = {
  debian: ["iproute2", "iptables", "nftables", "conntrack", "ethtool", "kmod", "procps", "socat"],
  fedora: ["iproute", "iptables-nft", "nftables", "conntrack-tools", "ethtool", "kmod", "procps-ng", "socat"],
  other: [],
};

export function requiredPackages({ osFamily }: Pick<MachineFacts, "osFamily">): string[] {
  return [...PACKAGES[osFamily]];
}

const SSH_CLIENT: Record<MachineFacts["osFamily"], readonly string[]> = {
  debian: ["openssh-client"],
  fedora: ["openssh-clients"],
  other: [],
};

/** Returns the package of the program `ssh`, which restic calls for a repository by SFTP. */
export function sshClientPackages({ osFamily }: Pick<MachineFacts, "osFamily">): readonly string[] {
  return SSH_CLIENT[osFamily];
}

/** Package of the API balancer, which Debian and Fedora name alike, and the service that Debian would start with it. */
export const BALANCER_PACKAGE = { name: "haproxy", unusedServices: ["haproxy.service"] } as const;

/** Package of a virtual address, which Debian and Fedora name alike, and the service that comes with it. */
export const VIP_PACKAGE = { name: "keepalived", unusedServices: ["keepalived.service"] } as const;
