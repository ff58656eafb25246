import type { Runtime } from "../common/runtime";

/** CRI socket of each runtime. Docker's is that of cri-dockerd. */
export const SOCKETS: Readonly<Record<Runtime, string>> = {
  containerd: "/run/containerd/containerd.sock",
  docker: "/run/cri-dockerd.sock",
};

export function criSocket(runtime: Runtime): string {
  return `unix://${SOCKETS[runtime]}`;
}
