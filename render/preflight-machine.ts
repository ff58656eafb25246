import semver from "semver";
import { DEFAULT_RUNTIME } from "../common/runtime";
import { userCommand } from "../common/user-command";
import { portFindings } from "./preflight-ports";
import type { Expectations, Finding, PreflightMachine } from "./preflight-types";

/** kubeadm's limits: `ControlPlaneNumCPU` and `ControlPlaneMem` in cmd/kubeadm/app/constants. */
const controlPlaneCpus = 2;
const controlPlaneMemoryMiB = 1700;

/**
 * Binaries, a control plane's images and their unpacked layers take about 1.5 GiB. With less than 2 GiB, copying them
 * could fail.
 */
export const minimumDiskMiB = 2048;
/** Room for logs, etcd and a few user images. */
const comfortableDiskMiB = 5120;
/**
 * The kubelet's default of `imagefs.available`, below which it reports DiskPressure.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#hard-eviction-thresholds
 */
const pressurePercent = 15;

/**
 * Certificates and kubeadm tolerate five minutes, but service-account tokens are rejected if they were issued more than
 * a minute in the future (go-jose's leeway). Differences below 5 s can be the SSH round trip of the measurement.
 */
const clockSkewErrorSeconds = 60;
const clockSkewWarningSeconds = 5;

/**
 * Oldest kernel for kube-proxy's nftables mode.
 * Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-nftables
 */
const nftablesKernel = "5.13.0";

type Check = (machine: PreflightMachine, expectations: Expectations) => Omit<Finding, "machine"> | undefined;

/** In the order in which a user would fix the findings. */
const checks: readonly Check[] = [
  privileges,
  operatingSystem,
  architecture,
  membership,
  runtimeOfMember,
  docker,
  kernel,
  cgroups,
  processors,
  memory,
  disk,
  swap,
  clock,
  selinux,
  firewall,
];

/** Checks a single machine. */
export function machineFindings(machine: PreflightMachine, expectations: Expectations): Finding[] {
  const findings = [
    ...checks.flatMap((check) => check(machine, expectations) ?? []),
    ...portFindings(machine, expectations),
  ];
  return findings.map((finding) => ({ machine: machine.name, ...finding }));
}

function privileges({ facts }: PreflightMachine): ReturnType<Check> {
  return facts.root
    ? undefined
    : error(
        "the user is not root and cannot become root",
        "allow the user `sudo` without a password, or connect as root",
      );
}

function operatingSystem({ facts }: PreflightMachine): ReturnType<Check> {
  if (facts.osFamily !== "other") return undefined;
  return error(
    `${facts.osId} ${facts.osVersion} is not supported`,
    "use Debian, Ubuntu, Fedora or a derivative of one of them",
  );
}

function architecture({ facts }: PreflightMachine): ReturnType<Check> {
  // The type allows no others, but the value comes from `uname -m` on the machine.
  if (["amd64", "arm64"].includes(facts.arch)) return undefined;
  return error(`its architecture ${String(facts.arch)} is not supported`, "use an amd64 or arm64 machine");
}

function membership({ facts, instanceAlreadyMember, memberAs }: PreflightMachine): ReturnType<Check> {
  if (instanceAlreadyMember || facts.kubernetesState === "none") return undefined;
  if (memberAs !== undefined)
    return error(
      `it is already the node ${memberAs} of this cluster`,
      `give it that name again; to rename a node, first remove its host from the configuration and run again, then ` +
        "add it under the new name",
    );
  if (facts.kubernetesState === "partial")
    return warning("it has an unfinished kubeadm init or join", "no action needed: it is completed or repeated");
  return error(
    `it is a ${facts.kubernetesState} of another cluster`,
    `if the state of its cluster was lost, take it into a new one with \`${userCommand("adopt")}\`; otherwise run ` +
      "`kubeadm reset` on it, or use another machine",
  );
}

/** Containers cannot move to another runtime, so a node must be recreated to change it. */
function runtimeOfMember(
  { facts, instanceAlreadyMember }: PreflightMachine,
  { runtime = DEFAULT_RUNTIME }: Expectations,
): ReturnType<Check> {
  const { kubeletRuntime = runtime } = facts;
  if (!instanceAlreadyMember || kubeletRuntime === runtime) return undefined;
  return error(
    `it is a node with the runtime ${kubeletRuntime}, which cannot be changed`,
    `set runtime: ${kubeletRuntime}, or destroy and recreate the cluster`,
  );
}

function docker({ facts, instanceAlreadyMember }: PreflightMachine, { runtime }: Expectations): ReturnType<Check> {
  if (runtime !== "docker" || instanceAlreadyMember || !facts.dockerConfigured) return undefined;
  return error(
    "Docker is already configured on it (/etc/docker/daemon.json), and a node needs its own settings",
    "move that file away, or use another machine",
  );
}

function kernel({ facts }: PreflightMachine, { proxyMode }: Expectations): ReturnType<Check> {
  const version = semver.coerce(facts.kernel);
  if (proxyMode !== "nftables" || version === null || semver.gte(version, nftablesKernel)) return undefined;
  return error(
    `kernel ${facts.kernel} is too old for kube-proxy's nftables mode (5.13)`,
    "set network.proxyMode: iptables, or upgrade the kernel",
  );
}

function cgroups({ facts }: PreflightMachine): ReturnType<Check> {
  if (facts.cgroupVersion === 2) return undefined;
  return warning(
    "it runs cgroup v1, which Kubernetes has deprecated; the kubelet is configured to accept it",
    "boot it with cgroup v2 when possible",
  );
}

function processors({ role, facts }: PreflightMachine): ReturnType<Check> {
  if (role !== "control-plane" || facts.cpus >= controlPlaneCpus) return undefined;
  return error(
    `it has ${facts.cpus} CPU, and kubeadm requires ${controlPlaneCpus} of a control plane`,
    "give it more CPUs",
  );
}

function memory({ role, facts }: PreflightMachine): ReturnType<Check> {
  if (facts.memoryMiB >= controlPlaneMemoryMiB) return undefined;
  const has = `it has ${facts.memoryMiB} MiB of memory`;
  if (role === "control-plane")
    return error(`${has}, and kubeadm requires ${controlPlaneMemoryMiB} MiB of a control plane`, "give it more memory");
  return warning(
    `${has}; Kubernetes recommends 2 GiB for every machine`,
    "give it more memory, or expect little room for pods",
  );
}

function disk({ role, facts, instanceAlreadyMember }: PreflightMachine): ReturnType<Check> {
  const free = `${facts.diskFreeMiB} MiB are free in /var/lib`;
  // A node already has its images. The kubelet reports a full disk as DiskPressure, which must not block an unrelated
  // change.
  if (facts.diskFreeMiB < minimumDiskMiB && !instanceAlreadyMember)
    return error(`${free}, but ${minimumDiskMiB} MiB are needed`, "free space or enlarge the disk");
  const percent = Math.floor((100 * facts.diskFreeMiB) / facts.diskMiB);
  if (percent < pressurePercent)
    return warning(
      `only ${free}, ${percent} %; below ${pressurePercent} % the kubelet reports DiskPressure, and pods stay Pending`,
      `free space or enlarge the disk, or lower imagefs.available in ${poolOf(role)}.kubelet.evictionHard`,
    );
  return facts.diskFreeMiB < comfortableDiskMiB
    ? warning(`only ${free}`, "enlarge the disk: the kubelet evicts pods when it fills up")
    : undefined;
}

function swap({ role, facts, swapAllowed = false }: PreflightMachine): ReturnType<Check> {
  if (facts.swapMiB === 0 || swapAllowed) return undefined;
  return error(
    `swap is on (${facts.swapMiB} MiB), and the kubelet refuses to start`,
    `run \`swapoff -a\` and remove it from /etc/fstab, or set ${poolOf(role)}.kubelet.failSwapOn: false`,
  );
}

/** Path of the settings in the configuration. */
function poolOf(role: PreflightMachine["role"]): string {
  return role === "worker" ? "workers" : "controlPlane";
}

function clock({ facts }: PreflightMachine): ReturnType<Check> {
  const skew = Math.abs(facts.clockSkewSeconds);
  if (skew <= clockSkewWarningSeconds) return undefined;
  const direction = facts.clockSkewSeconds > 0 ? "ahead of" : "behind";
  const message = `its clock is ${Math.round(skew)} s ${direction} this computer's`;
  const action = "synchronize both clocks (`timedatectl set-ntp true`)";
  return skew > clockSkewErrorSeconds
    ? error(`${message}, and tokens would be rejected`, action)
    : warning(message, action);
}

/** SELinux stays enforcing: files are labelled when they are installed, and containers run with containerd's label. */
function selinux({ facts, instanceAlreadyMember }: PreflightMachine): ReturnType<Check> {
  if (facts.selinux !== "enforcing" || instanceAlreadyMember) return undefined;
  return warning(
    "SELinux is enforcing, and stays enforcing",
    "no action needed; run `ausearch -m avc` on the machine to see what it denies",
  );
}

function firewall({ facts, instanceAlreadyMember }: PreflightMachine): ReturnType<Check> {
  if (facts.firewall === "none" || instanceAlreadyMember) return undefined;
  return warning(`${facts.firewall} is active, and stays active`, "no action needed: the ports of a node are opened");
}

function error(message: string, action: string): Omit<Finding, "machine"> {
  return { severity: "error", message, action };
}

function warning(message: string, action: string): Omit<Finding, "machine"> {
  return { severity: "warning", message, action };
}
