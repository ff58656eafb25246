import type { Runtime } from "../common/runtime";

/** What stays as it is for as long as the machine does: a program may build on it. Only read here: no Pulumi, no SSH. */
export interface HostFacts {
  /** `ID` of os-release: `debian`, `ubuntu`, `fedora`. */
  osId: string;
  /** `VERSION_ID` of os-release: `12`, `24.04`. */
  osVersion: string;
  osFamily: "debian" | "fedora" | "other";
  arch: "amd64" | "arm64";
  /** `uname -r`. */
  kernel: string;
  hostname: string;
  /** /etc/machine-id: the machine's identity; a rebuilt machine has another one. */
  machineId: string;
  cpus: number;
  memoryMiB: number;
  swapMiB: number;
  cgroupVersion: 1 | 2;
  /** Whether oom scores can be lowered; containers without it cannot. */
  capSysResource: boolean;
  /** Whether nf_conntrack_max can be set; in a network namespace that is not the host's it cannot. */
  conntrackWritable: boolean;
  /** root, or able to become root without a password. */
  root: boolean;
  /** All addresses on all interfaces but loopback. */
  addresses: string[];
  /** systemd-resolved answers for names; absent where the machine was looked at by an older version. */
  systemdResolved?: boolean;
}

/** All that a machine says of itself when it is looked at: with what varies from minute to minute, or with what is done to it. For preflight. */
export interface MachineFacts extends HostFacts {
  bootId: string;
  /** The machine's clock minus the controller's, in seconds; positive when the machine is ahead. */
  clockSkewSeconds: number;
  /** Free space where Kubernetes keeps its data (/var/lib), in MiB. */
  diskFreeMiB: number;
  /** TCP ports with a listener. */
  listeningPorts: number[];
  /** `none` where the kernel has no SELinux, or it is disabled. */
  selinux: "enforcing" | "permissive" | "none";
  /** The one that is active. */
  firewall: "firewalld" | "ufw" | "none";
  /** What of Kubernetes is on it already; `partial` is an init or join that did not finish. */
  kubernetesState: "none" | "control-plane" | "worker" | "partial";
  /** SHA-256 of its cluster's CA certificate; absent where it is in no cluster. */
  clusterCa?: string;
  /** Which runtime its kubelet is configured for; absent where there is none. */
  kubeletRuntime?: Runtime;
  /** Docker is configured on it (/etc/docker/daemon.json), and not by us. */
  dockerConfigured: boolean;
}
