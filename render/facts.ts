import type { Runtime } from "../common/runtime";

/** Facts that stay the same for the lifetime of a machine, so that programs can depend on them. */
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
  /** /etc/machine-id, the machine's identity. A rebuilt machine has another one. */
  machineId: string;
  cpus: number;
  memoryMiB: number;
  swapMiB: number;
  cgroupVersion: 1 | 2;
  /** The machine has CAP_SYS_RESOURCE, which is needed to lower OOM scores. */
  capSysResource: boolean;
  /** nf_conntrack_max can be set. False in containers, because it belongs to the host's network namespace. */
  conntrackWritable: boolean;
  /** The user is root, or can become root without a password. */
  root: boolean;
  /** Addresses of all interfaces other than loopback. */
  addresses: string[];
  /** systemd-resolved is active. Absent in facts that were read by an older version of Kubewright. */
  systemdResolved?: boolean;
}

/**
 * All facts of a machine, including those that change with time or with Kubewright's own work. For preflight checks.
 */
export interface MachineFacts extends HostFacts {
  bootId: string;
  /** The machine's clock minus the controller's, in seconds; positive when the machine is ahead. */
  clockSkewSeconds: number;
  /** Size of the file system of /var/lib, in MiB. */
  diskMiB: number;
  /** Free space where Kubernetes keeps its data (/var/lib), in MiB. */
  diskFreeMiB: number;
  /** TCP ports with a listener. */
  listeningPorts: number[];
  /** `none` if the kernel has no SELinux, or SELinux is disabled. */
  selinux: "enforcing" | "permissive" | "none";
  /** The active firewall. */
  firewall: "firewalld" | "ufw" | "none";
  /** The machine's role in an existing cluster. `partial` after an init or join that did not finish. */
  kubernetesState: "none" | "control-plane" | "worker" | "partial";
  /** SHA-256 of the cluster's CA certificate, hex. Absent if the machine belongs to no cluster. */
  clusterCa?: string;
  /** Container runtime of the kubelet's configuration. Absent if there is none. */
  kubeletRuntime?: Runtime;
  /** /etc/docker/daemon.json exists and was not written by Kubewright. */
  dockerConfigured: boolean;
}
