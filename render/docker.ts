import type { MachineFacts } from "./facts";
import { template } from "./template";

/**
 * The parts of /etc/docker/daemon.json that Kubewright sets.
 * Source: https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
 */
export interface DockerDaemonConfiguration {
  "exec-opts": string[];
  "log-driver": "json-file";
  "log-opts": { "max-size": string; "max-file": string };
  "storage-driver": "overlay2";
  "live-restore": boolean;
}

export function dockerConfiguration(): DockerDaemonConfiguration {
  return {
    // Must equal the kubelet's cgroup driver, which is systemd by kubeadm's default.
    "exec-opts": ["native.cgroupdriver=systemd"],
    "log-driver": "json-file",
    // Docker rotates logs before they reach 10 MiB (containerLogMaxSize): cri-dockerd cannot rotate them for the
    // kubelet.
    "log-opts": { "max-size": "8m", "max-file": "5" },
    "storage-driver": "overlay2",
    // Containers keep running while the daemon restarts, as with containerd.
    "live-restore": true,
  };
}

export function dockerConfigurationText(): string {
  return `${JSON.stringify(dockerConfiguration(), null, 2)}\n`;
}

/**
 * Renders cri-dockerd's unit.
 * @param pauseImage Full reference of the sandbox image, which cri-dockerd reports as pinned.
 */
export function criDockerdUnit(pauseImage: string): string {
  return template("docker/cri-docker.service", { PAUSE_IMAGE: pauseImage });
}

export function criDockerdSocket(): string {
  return template("docker/cri-docker.socket");
}

/**
 * Returns the distribution's packages of Docker Engine. Since Debian 13 and Fedora 41, the client is a separate
 * package. An installed engine from Docker's own packages (docker-ce) is used instead.
 */
export function enginePackages({
  osFamily,
  osId,
  osVersion,
}: Pick<MachineFacts, "osFamily" | "osId" | "osVersion">): string[] {
  const since = (id: string, version: number): string[] =>
    osId === id && Number.parseFloat(osVersion) >= version ? ["docker-cli"] : [];
  if (osFamily === "debian") return ["docker.io", ...since("debian", 13)];
  return osFamily === "fedora" ? ["moby-engine", ...since("fedora", 41)] : [];
}
