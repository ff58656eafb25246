import type { Runtime } from "../common/runtime";

/** Where each speaks CRI: for kubeadm, and through it for the kubelet. Docker speaks it through cri-dockerd. */
export const SOCKETS: Readonly<Record<Runtime, string>> = {
  containerd: "/run/containerd/containerd.sock",
  docker: "/run/cri-dockerd.sock",
};

export function criSocket(runtime: Runtime): string {
  return `unix://${SOCKETS[runtime]}`;
}
