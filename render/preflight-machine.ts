import semver from "semver";
import { DEFAULT_RUNTIME } from "../common/runtime";
import { portFindings } from "./preflight-ports";
import type { Expectations, Finding, JudgedMachine } from "./preflight-types";

/** kubeadm's own limits: `ControlPlaneNumCPU` and `ControlPlaneMem` in cmd/kubeadm/app/constants. */
const controlPlaneCpus = 2;
const controlPlaneMemoryMiB = 1700;

/** Binaries, a control plane's images and their unpacked layers take about 1.5 GiB; below 2 the copy itself would fail half-way. */
const minimumDiskMiB = 2048;
/** Room for logs, etcd and a few images of the person's own before the kubelet evicts pods (nodefs 10 %, imagefs 15 % free). */
const comfortableDiskMiB = 5120;

/**
 * Certificates and kubeadm's own checks tolerate five minutes, but service-account tokens are refused when they are issued more than a
 * minute in the future (go-jose's leeway). Below 5 s it may be the measurement, which includes an SSH round trip.
 */
const clockSkewErrorSeconds = 60;
const clockSkewWarningSeconds = 5;

/** kube-proxy refuses its nftables mode on older kernels. https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-nftables */
const nftablesKernel = "5.13.0";

type Judgement = (machine: JudgedMachine, expectations: Expectations) => Omit<Finding, "machine"> | undefined;

/** In the order in which a person would fix them. */
const judgements: readonly Judgement[] = [
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

/** What one machine alone shows. */
export function machineFindings(machine: JudgedMachine, expectations: Expectations): Finding[] {
  const found = judgements.flatMap((judgement) => judgement(machine, expectations) ?? []);
  return [...found, ...portFindings(machine, expectations)].map((finding) => ({ machine: machine.name, ...finding }));
}

function privileges({ facts }: JudgedMachine): ReturnType<Judgement> {
  return facts.root
    ? undefined
    : error("the user is not root and cannot become root", "allow it `sudo` without a password, or connect as root");
}

function operatingSystem({ facts }: JudgedMachine): ReturnType<Judgement> {
  if (facts.osFamily !== "other") return undefined;
  return error(
    `${facts.osId} ${facts.osVersion} is not supported`,
    "use Debian, Ubuntu, Fedora or a relative of theirs",
  );
}

function architecture({ facts }: JudgedMachine): ReturnType<Judgement> {
  // The type allows no other, but the value comes from `uname -m` of somebody's machine.
  if (["amd64", "arm64"].includes(facts.arch)) return undefined;
  return error(`its architecture ${String(facts.arch)} is not supported`, "use an amd64 or arm64 machine");
}

function membership({ facts, instanceAlreadyMember }: JudgedMachine): ReturnType<Judgement> {
  if (instanceAlreadyMember || facts.kubernetesState === "none") return undefined;
  if (facts.kubernetesState === "partial")
    return warning("an init or join that did not finish is on it", "nothing to do: it is completed or done anew");
  return error(
    `it is a ${facts.kubernetesState} of a cluster that this stack does not know`,
    "run `kubeadm reset` on it, or give another machine",
  );
}

/** Containers do not move from one runtime to another: a node gets another one only by being made anew. */
function runtimeOfMember(
  { facts, instanceAlreadyMember }: JudgedMachine,
  { runtime = DEFAULT_RUNTIME }: Expectations,
): ReturnType<Judgement> {
  const { kubeletRuntime = runtime } = facts;
  if (!instanceAlreadyMember || kubeletRuntime === runtime) return undefined;
  return error(
    `it is a node that runs on ${kubeletRuntime}, and a node keeps its runtime`,
    `set runtime: ${kubeletRuntime}, or destroy the cluster and make it anew`,
  );
}

function docker({ facts, instanceAlreadyMember }: JudgedMachine, { runtime }: Expectations): ReturnType<Judgement> {
  if (runtime !== "docker" || instanceAlreadyMember || !facts.dockerConfigured) return undefined;
  return error(
    "Docker is configured on it already (/etc/docker/daemon.json), and a node needs settings of its own there",
    "move that file away, or give another machine",
  );
}

function kernel({ facts }: JudgedMachine, { proxyMode }: Expectations): ReturnType<Judgement> {
  const version = semver.coerce(facts.kernel);
  if (proxyMode !== "nftables" || version === null || semver.gte(version, nftablesKernel)) return undefined;
  return error(
    `kernel ${facts.kernel} is too old for kube-proxy's nftables mode (5.13)`,
    "set network.proxyMode: iptables, or upgrade the kernel",
  );
}

function cgroups({ facts }: JudgedMachine): ReturnType<Judgement> {
  if (facts.cgroupVersion === 2) return undefined;
  return warning(
    "it runs cgroup v1, which Kubernetes has deprecated; the kubelet is told to accept it",
    "boot it with cgroup v2 when you can",
  );
}

function processors({ role, facts }: JudgedMachine): ReturnType<Judgement> {
  if (role !== "control-plane" || facts.cpus >= controlPlaneCpus) return undefined;
  return error(
    `it has ${facts.cpus} CPU, and kubeadm requires ${controlPlaneCpus} of a control plane`,
    "give it more CPUs",
  );
}

function memory({ role, facts }: JudgedMachine): ReturnType<Judgement> {
  if (facts.memoryMiB >= controlPlaneMemoryMiB) return undefined;
  const has = `it has ${facts.memoryMiB} MiB of memory`;
  if (role === "control-plane")
    return error(`${has}, and kubeadm requires ${controlPlaneMemoryMiB} MiB of a control plane`, "give it more memory");
  return warning(
    `${has}; Kubernetes recommends 2 GiB for every machine`,
    "expect little room for pods, or give it more memory",
  );
}

function disk({ facts, instanceAlreadyMember }: JudgedMachine): ReturnType<Judgement> {
  const free = `${facts.diskFreeMiB} MiB are free under /var/lib`;
  // A member has its images already: a full disk is then the kubelet's DiskPressure to report, and must not stop an unrelated change.
  if (facts.diskFreeMiB < minimumDiskMiB && !instanceAlreadyMember)
    return error(`${free}, ${minimumDiskMiB} MiB are needed`, "free space or enlarge the disk");
  return facts.diskFreeMiB < comfortableDiskMiB
    ? warning(`only ${free}`, "the kubelet evicts pods when it fills up: enlarge the disk")
    : undefined;
}

function swap({ role, facts, swapAllowed = false }: JudgedMachine): ReturnType<Judgement> {
  if (facts.swapMiB === 0 || swapAllowed) return undefined;
  const pool = role === "worker" ? "workers" : "controlPlane";
  return error(
    `swap is on (${facts.swapMiB} MiB), and the kubelet refuses to start`,
    `run \`swapoff -a\` and take it out of /etc/fstab, or set ${pool}.kubelet.failSwapOn: false`,
  );
}

function clock({ facts }: JudgedMachine): ReturnType<Judgement> {
  const skew = Math.abs(facts.clockSkewSeconds);
  if (skew <= clockSkewWarningSeconds) return undefined;
  const message = `its clock is ${Math.round(skew)} s ${facts.clockSkewSeconds > 0 ? "ahead of" : "behind"} this computer's`;
  const action = "synchronise both (`timedatectl set-ntp true`)";
  return skew > clockSkewErrorSeconds
    ? error(`${message}, and tokens would be refused`, action)
    : warning(message, action);
}

/** Files get their labels when they are put in place, and containers run as containerd does: neither needs it switched off. */
function selinux({ facts, instanceAlreadyMember }: JudgedMachine): ReturnType<Judgement> {
  if (facts.selinux !== "enforcing" || instanceAlreadyMember) return undefined;
  return warning(
    "SELinux is enforcing, and stays so",
    "nothing to do; `ausearch -m avc` on the machine shows what it denies",
  );
}

function firewall({ facts, instanceAlreadyMember }: JudgedMachine): ReturnType<Judgement> {
  if (facts.firewall === "none" || instanceAlreadyMember) return undefined;
  return warning(`${facts.firewall} is active, and stays so`, "nothing to do: what a node needs is opened in it");
}

function error(message: string, action: string): Omit<Finding, "machine"> {
  return { severity: "error", message, action };
}

function warning(message: string, action: string): Omit<Finding, "machine"> {
  return { severity: "warning", message, action };
}
