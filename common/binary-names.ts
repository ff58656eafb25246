/** Binaries that are copied to nodes. */
export const NODE_BINARIES = [
  ...(["kubelet", "kubeadm", "kubectl"] as const),
  ...(["containerd", "containerd-shim-runc-v2", "ctr", "runc"] as const),
  ...(["bridge", "loopback", "ptp", "host-local", "portmap", "bandwidth", "firewall"] as const),
  ...(["etcd", "etcdctl", "etcdutl"] as const),
] as const;

/** Binaries that run in containers only. Available when they were built on the controller. */
export const IMAGE_BINARIES = [
  ...(["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"] as const),
  ...(["coredns", "flanneld", "pause", "agnhost"] as const),
] as const;

/** Binaries that are copied to nodes with `runtime: docker` only. */
export const DOCKER_BINARIES = ["cri-dockerd"] as const;

export type NodeBinary = (typeof NODE_BINARIES)[number];
export type ImageBinary = (typeof IMAGE_BINARIES)[number];
export type DockerBinary = (typeof DOCKER_BINARIES)[number];
export type BinaryName = NodeBinary | ImageBinary | DockerBinary;
