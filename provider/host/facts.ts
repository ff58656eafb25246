import { RUNTIMES, type Runtime } from "../../common/runtime";
import type { MachineFacts } from "../../render/facts";
import { StepError } from "../../common/errors";
import { printable } from "../../common/printable";
import { sha256Schema } from "../../contracts/files";
import type { Remote } from "../ssh/remote";
import { template } from "../../render/template";

/** Characters. */
const LONGEST_FACT = 4_000;

const OS_FAMILIES: Record<string, MachineFacts["osFamily"]> = {
  debian: "debian",
  ubuntu: "debian",
  fedora: "fedora",
  rhel: "fedora",
  centos: "fedora",
  rocky: "fedora",
  almalinux: "fedora",
};
/** Architectures by the output of `uname -m`. */
export const ARCHITECTURES: Record<string, MachineFacts["arch"]> = {
  x86_64: "amd64",
  amd64: "amd64",
  aarch64: "arm64",
  arm64: "arm64",
};

/** Reads all facts of a machine in one round trip. */
export async function readFacts(machine: Remote, signal: AbortSignal): Promise<MachineFacts> {
  const before = Date.now();
  const script = template("host/facts.sh");
  const { stdout } = await machine.run(script, {
    step: "reading the machine's facts",
    signal,
    isReadOnly: true,
    action: "log in as root, or as a user with sudo without a password",
  });
  const middle = (before + Date.now()) / 2;
  return parseFacts(parseLines(stdout), middle, machine.label);
}

function parseLines(output: string): Map<string, string> {
  const lines = output.split("\n").filter((line) => line.includes("="));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf("=")),
      line.slice(line.indexOf("=") + 1).replace(/^"(.*)"$/, "$1"),
    ]),
  );
}

/** Parses the output of facts.sh. `now` is the controller's clock, in milliseconds, when the script ran. */
export function parseFacts(lines: Map<string, string>, now: number, label: string): MachineFacts {
  // The output reaches the state and the screen, so it is limited and stripped of control characters.
  const text = (key: string) => printable((lines.get(key) ?? "").slice(0, LONGEST_FACT)).replaceAll("\n", " ");
  const number = (key: string) => (Number.isFinite(Number(text(key))) ? Number(text(key)) : 0);
  const list = (key: string) => text(key).split(/\s+/).filter(Boolean);
  const runtime = text("kubelet_runtime");
  const clusterCa = sha256Schema.safeParse(text("cluster_ca")).data;
  const arch = ARCHITECTURES[text("arch")];
  if (!arch) {
    throw new StepError({
      step: "preflight",
      machine: label,
      cause: `architecture ${text("arch")} is not supported`,
      action: "use an amd64 or arm64 machine",
    });
  }
  return {
    osId: text("os_id"),
    osVersion: text("os_version"),
    osFamily: OS_FAMILIES[text("os_id")] ?? "other",
    arch,
    kernel: text("kernel"),
    hostname: text("hostname"),
    machineId: text("machine_id"),
    bootId: text("boot_id"),
    cpus: number("cpus"),
    memoryMiB: Math.round(number("memory_kib") / 1024),
    swapMiB: Math.round(number("swap_kib") / 1024),
    cgroupVersion: text("cgroup") === "cgroup2fs" ? 2 : 1,
    capSysResource: text("cap_sys_resource") === "yes",
    conntrackWritable: text("conntrack_writable") === "yes",
    root: text("uid") === "0",
    addresses: list("addresses"),
    systemdResolved: text("systemd_resolved") === "yes",
    clockSkewSeconds: Math.round((number("clock_ms") - now) / 100) / 10,
    diskMiB: number("disk_mib"),
    diskFreeMiB: number("disk_free_mib"),
    listeningPorts: [...new Set(list("ports").map(Number))]
      .filter((port) => port > 0 && port < 65_536)
      .sort((a, b) => a - b),
    selinux: oneOf(text("selinux"), ["enforcing", "permissive"]) ?? "none",
    firewall: oneOf(text("firewall"), ["firewalld", "ufw"]) ?? "none",
    kubernetesState: kubernetesStateOf(text("kubernetes")),
    ...(clusterCa === undefined ? {} : { clusterCa }),
    ...(isRuntime(runtime) ? { kubeletRuntime: runtime } : {}),
    dockerConfigured: text("docker_configured") === "yes",
  };
}

function isRuntime(value: string): value is Runtime {
  return RUNTIMES.some((runtime) => runtime === value);
}

function oneOf<T extends string>(value: string, allowed: readonly T[]): T | undefined {
  return allowed.find((option) => option === value);
}

function kubernetesStateOf(value: string): MachineFacts["kubernetesState"] {
  return value === "control-plane" || value === "worker" || value === "partial" ? value : "none";
}
