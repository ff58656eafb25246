import { cpSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ArtifactSet } from "../../artifacts/index";
import { projectRoot } from "../../common/project-root";
import { run } from "../../common/process";
import { CONTROL_PLANE, WORKERS, keyPath, type BenchMachine } from "./machines";
import { criticalPath, endedBefore, type Measured, type StepTime } from "./measure";

const REFERENCE = join(projectRoot(), "..", "shared", "reference", "shell");

export const BRINGUP_SCRIPT = join(REFERENCE, "bringup.sh");

export const isInstalled = () => existsSync(BRINGUP_SCRIPT);

/** The script, with our binaries and image archives instead of those that it would build. */
export async function prepareShell(folder: string, artifacts: ArtifactSet): Promise<string> {
  if (artifacts.images.kind !== "archives")
    throw new Error("the shell script can only load archives; the images here are pulled");
  const shell = join(folder, "shell");
  rmSync(shell, { recursive: true, force: true });
  cpSync(REFERENCE, shell, { recursive: true });
  await run("chmod", ["-R", "u+w", shell]);
  const build = join(shell, "build");
  const bin = join(shell, "bin");
  [build, bin].forEach((path) => mkdirSync(path, { recursive: true }));
  for (const [name, file] of Object.entries(artifacts.binaries)) symlinkSync(file.path, join(bin, name));
  symlinkSync(artifacts.images.worker.path, join(build, "worker.tar"));
  symlinkSync(artifacts.images.controlPlane.path, join(build, "cp.tar"));
  const flannel = join(shell, "files", "flannel.yaml");
  writeFileSync(
    flannel,
    readFileSync(flannel, "utf8").replace(/image: \S*flannel\S*/, `image: ${artifacts.refs.flannel}`),
  );
  await pack(shell, artifacts);
  return shell;
}

const TARGETS: Record<string, string[]> = {
  "usr/local/bin": ["containerd", "containerd-shim-runc-v2", "ctr", "kubelet", "kubeadm"],
  "usr/local/sbin": ["runc"],
  "opt/cni/bin": ["bridge", "loopback", "host-local", "portmap", "bandwidth", "firewall", "ptp"],
};
const FILES: Record<string, string> = {
  "containerd-config.toml": "etc/containerd/config.toml",
  "99-kubernetes.conf": "etc/sysctl.d/99-kubernetes.conf",
  "containerd.service": "etc/systemd/system/containerd.service",
  "kubelet.service": "etc/systemd/system/kubelet.service",
  "10-kubeadm.conf": "etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
};

/** Does the end of the script's build.sh: one tar with every file at its path. */
async function pack(shell: string, { binaries }: ArtifactSet): Promise<void> {
  const payload = join(shell, "payload");
  const put = (from: string, to: string) => {
    mkdirSync(join(payload, to, ".."), { recursive: true });
    cpSync(from, join(payload, to), { dereference: true });
  };
  for (const [folder, names] of Object.entries(TARGETS)) {
    for (const name of names) put(binaries[name as keyof typeof binaries]?.path ?? "", join(folder, name));
  }
  for (const [from, to] of Object.entries(FILES)) put(join(shell, "files", from), to);
  mkdirSync(join(payload, "etc/kubernetes/manifests"), { recursive: true });
  const tar = (...args: string[]) => run("tar", ["--owner=0", "--group=0", ...args]);
  await tar("-C", payload, "-cf", join(shell, "build", "node.tar"), "etc", "opt", "usr");
  rmSync(payload, { recursive: true });
  const kubectl = join(shell, "build", "kubectl");
  linkOrCopy(binaries.kubectl.path, kubectl);
  await tar(
    "-C",
    join(shell, "build"),
    "--transform",
    "s,^,usr/local/bin/,",
    "-cf",
    join(shell, "build", "kubectl.tar"),
    "kubectl",
  );
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}

export async function runShell(shell: string, machines: readonly BenchMachine[], keyFolder: string): Promise<Measured> {
  const env = {
    BIN: join(shell, "bin"),
    NODES: addressesOf(machines),
    CP: CONTROL_PLANE,
    WORKERS: WORKERS.join(" "),
    SSH_KEY: keyPath(keyFolder),
  };
  const { exitCode, all } = await run(join(shell, "bringup.sh"), ["nftables"], { env, all: true, reject: false });
  await closeMasters(machines);
  if (exitCode !== 0) throw new Error(`bringup.sh failed:\n${typeof all === "string" ? all : ""}`);
  return readMeasured(join(shell, "out"));
}

/** Returns the addresses as scripts read them: `name=address` of each machine. */
export function addressesOf(machines: readonly BenchMachine[]): string {
  return machines.map(({ name, address }) => `${name}=${address}`).join(" ");
}

/**
 * Reads what a script measured: `total` in seconds, and `steps.tsv` with node, step, start and end of each step. Steps
 * that only wait for others, `wait-*`, are not part of the critical path.
 */
export function readMeasured(folder: string): Measured {
  const steps = readFileSync(join(folder, "steps.tsv"), "utf8").trim().split("\n").map(stepOf);
  const real = steps.filter(({ step }) => !step.startsWith("wait-"));
  return {
    seconds: Number(readFileSync(join(folder, "total"), "utf8")),
    steps,
    critical: criticalPath(real, endedBefore(real)),
  };
}

/** The script keeps its connections for half a minute, but the next round has other machines at the same addresses. */
async function closeMasters(machines: readonly BenchMachine[]): Promise<void> {
  await Promise.all(
    machines.map(({ address }) =>
      run("ssh", ["-o", `ControlPath=/run/ref-ssh-${address}`, "-O", "exit", `root@${address}`], { reject: false }),
    ),
  );
}

function stepOf(line: string): StepTime {
  const [node = "", step = "", start, end] = line.split("\t");
  return { node, step, start: Number(start), end: Number(end) };
}
