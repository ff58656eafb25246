import type { MachineFacts } from "./facts";
import { template } from "./template";

/** The parts of /etc/docker/daemon.json that we set. Source: https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file */
export interface DockerDaemonConfiguration {
  "exec-opts": string[];
  "log-driver": "json-file";
  "log-opts": { "max-size": string; "max-file": string };
  "storage-driver": "overlay2";
  "live-restore": boolean;
}

export function dockerConfiguration(): DockerDaemonConfiguration {
  return {
    // The kubelet's cgroup driver is systemd too (kubeadm's default); the two must agree.
    "exec-opts": ["native.cgroupdriver=systemd"],
    "log-driver": "json-file",
    // Docker rotates: cri-dockerd cannot do it for the kubelet, which would try from 10 MiB on (containerLogMaxSize).
    "log-opts": { "max-size": "8m", "max-file": "5" },
    "storage-driver": "overlay2",
    // Containers outlive a restart of the daemon, as they do with containerd.
    "live-restore": true,
  };
}

export function dockerConfigurationText(): string {
  return `${JSON.stringify(dockerConfiguration(), null, 2)}\n`;
}

/** @param pauseImage full reference of the pods' sandbox image; cri-dockerd reports it as pinned */
export function criDockerdUnit(pauseImage: string): string {
  return template("docker/cri-docker.service", { PAUSE_IMAGE: pauseImage });
}

export function criDockerdSocket(): string {
  return template("docker/cri-docker.socket");
}

/**
 * The distribution's Docker Engine. Debian 13 and Fedora 41 have put the client into a package of its own.
 * An engine from Docker's own packages (docker-ce) that is there already is used instead.
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
