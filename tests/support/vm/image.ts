import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cache, fileOf } from "../../../artifacts/cache";
import type { Progress } from "../../../common/progress";
import { runCommand } from "../../../common/process";
import { quote } from "../../../common/quote";
import { readOsRelease } from "../../../provider/docker/host";
import { readAptOptions, readPackageSources } from "../../../provider/docker/mmdebstrap";

const STEP = "build the virtual machine's image";
const DISK = "16G";
const SWAP = "256M";
/**
 * What Debian's own cloud images have: the cloud kernel, AppArmor, systemd. The packages that a node needs are there,
 * except for socat: what Kubewright installs stays, and would count as left behind.
 */
const PACKAGES = [
  ...["linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "udev", "dbus", "apparmor", "kmod", "procps"],
  ...["openssh-server", "sudo", "iproute2", "iptables", "nftables", "conntrack", "ethtool", "ca-certificates"],
];

/** Files of a virtual machine's image. */
export interface VmImage {
  /** qcow2 with an ext4 file system, without partitions. */
  disk: string;
  /** qcow2 with swap space. */
  swap: string;
  kernel: string;
  initrd: string;
  /** Private key of the user `admin`. */
  key: string;
}

/** Returns Debian's image from the user's cache. The first call builds it from the package sources of this computer. */
export async function obtainVmImage(progress: Progress, signal: AbortSignal): Promise<VmImage> {
  const release = readOsRelease().codename;
  const recipe = [release, DISK, SWAP, ...PACKAGES, await readFile(join(__dirname, "setup.sh"), "utf8")];
  const hash = createHash("sha256").update(recipe.join("\n")).digest("hex").slice(0, 12);
  const entry = await new Cache().obtain({
    key: `vm-${release}-amd64-packages-${hash}`,
    label: "the virtual machine's image",
    fill: (folder) => build(folder, release, progress, signal),
    progress,
    signal,
  });
  const path = (name: string) => fileOf(entry, name).path;
  return {
    disk: path("disk.qcow2"),
    swap: path("swap.qcow2"),
    kernel: path("vmlinuz"),
    initrd: path("initrd.img"),
    key: path("key"),
  };
}

async function build(folder: string, release: string, progress: Progress, signal: AbortSignal): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "kubewright-vm-"));
  const root = join(work, "root");
  try {
    await runCommand("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "admin", "-f", join(folder, "key")], {
      step: STEP,
      signal,
    });
    await chmod(work, 0o755);
    await mkdir(root);
    await installPackages(root, join(folder, "key.pub"), release, progress, signal);
    await copyBootFiles(root, folder);
    progress("writing the virtual machine's disk");
    await writeDisk(join(folder, "disk.qcow2"), ["mke2fs", "-q", "-t", "ext4", "-d", root], DISK, work, signal);
    await writeDisk(join(folder, "swap.qcow2"), ["mkswap", "-q"], SWAP, work, signal);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function installPackages(
  root: string,
  publicKey: string,
  release: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const args = [
    "--variant=minbase",
    "--mode=root",
    "--format=directory",
    `--include=${PACKAGES.join(",")}`,
    ...(await readAptOptions(signal)).map((option) => `--aptopt=${option}`),
    `--customize-hook=copy-in ${quote(join(__dirname, "setup.sh"))} ${quote(publicKey)} /tmp`,
    '--customize-hook=chroot "$1" sh /tmp/setup.sh',
    '--customize-hook=rm "$1/tmp/setup.sh"',
    release,
    root,
    ...(await readPackageSources(release, signal)),
  ];
  const onLine = (line: string) => line.startsWith("I: ") && progress(`virtual machine: ${line.slice(3)}`);
  await runCommand("mmdebstrap", args, { step: STEP, signal, stopGroupWith: "SIGINT", onLine });
}

/** QEMU starts the kernel itself, so the image needs no boot loader. */
async function copyBootFiles(root: string, folder: string): Promise<void> {
  const names = await readdir(join(root, "boot"));
  for (const name of ["vmlinuz", "initrd.img"]) {
    const source = names.find((file) => file.startsWith(`${name}-`));
    if (source === undefined) throw new Error(`the kernel package has no /boot/${name}-*`);
    await copyFile(join(root, "boot", source), join(folder, name));
  }
}

/** Formats a raw disk and converts it to qcow2, which stores only used blocks. */
async function writeDisk(
  target: string,
  [format = "", ...options]: string[],
  size: string,
  work: string,
  signal: AbortSignal,
): Promise<void> {
  const raw = join(work, "disk.raw");
  const run = (file: string, args: readonly string[]) => runCommand(file, args, { step: STEP, signal });
  await run("truncate", ["-s", size, raw]);
  await run(format, [...options, raw]);
  await run("qemu-img", ["convert", "-O", "qcow2", raw, target]);
  await rm(raw);
}
