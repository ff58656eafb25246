import { copyFile, chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { readFileSync, accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResultPromise } from "execa" with { "resolution-mode": "import" };
import { messageOf } from "../../../common/errors";
import { output, runCommand, start } from "../../../common/process";
import { until } from "../../../common/wait";
import { freePort } from "../sshd";
import type { VmImage } from "./image";

/** Address of the machine in QEMU's user network. */
export const VM_ADDRESS = "10.0.2.15";
const STEP = "start the virtual machine";
const CPUS = 2;
const MEMORY_MIB = 4096;
/** By software emulation, a boot takes one to three minutes. */
const BOOT_SECONDS = 600;

/** A Debian virtual machine under QEMU. Its disks are layers over the image, which does not change. */
export class VirtualMachine {
  private constructor(
    private readonly folder: string,
    readonly port: number,
    private readonly qemu: ResultPromise,
  ) {}

  /** Starts the machine and waits until it answers. The machine ends together with this process. */
  static async start(image: VmImage): Promise<VirtualMachine> {
    const folder = await mkdtemp(join(tmpdir(), "kubewright-vm-"));
    await copyFile(image.key, join(folder, "key"));
    await chmod(join(folder, "key"), 0o600);
    for (const name of ["disk", "swap"] as const)
      await runCommand(
        "qemu-img",
        ["create", "-q", "-f", "qcow2", "-b", image[name], "-F", "qcow2", join(folder, `${name}.qcow2`)],
        { step: STEP, signal: AbortSignal.timeout(60_000) },
      );
    const port = await freePort();
    const args = [
      "--pdeathsig",
      "KILL",
      "nice",
      "-n",
      "10",
      "qemu-system-x86_64",
      ...qemuArguments(image, folder, port),
    ];
    const log = { file: join(folder, "qemu.log") };
    const { child } = await start("setpriv", args, { stdin: "ignore", stdout: log, stderr: log, reject: false });
    const machine = new VirtualMachine(folder, port, child);
    await machine.waitForBoot();
    return machine;
  }

  get keyPath(): string {
    return join(this.folder, "key");
  }

  /** Runs a shell script as root and returns its output. */
  async run(script: string): Promise<string> {
    const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=20"];
    const args = ["-i", this.keyPath, "-p", String(this.port), ...options.flatMap((option) => ["-o", option])];
    return await output("ssh", [...args, "admin@127.0.0.1", "sudo sh -s"], { input: script });
  }

  /** Restarts the operating system and waits until the machine answers again. */
  async reboot(): Promise<void> {
    const before = await this.bootId();
    await this.run("systemctl reboot").catch(() => undefined); // the connection may end before the answer
    await this.waitForBoot(before);
  }

  /** Ends QEMU and deletes the machine's disks. */
  async remove(): Promise<void> {
    this.qemu.kill("SIGKILL");
    await this.qemu;
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The last lines of the serial console, for errors. */
  async console(): Promise<string> {
    const text = await readFile(join(this.folder, "console.log"), "utf8").catch(() => "");
    return text.split("\n").slice(-20).join("\n");
  }

  private async bootId(): Promise<string> {
    return (await this.run("cat /proc/sys/kernel/random/boot_id")).trim();
  }

  private async waitForBoot(previous = ""): Promise<void> {
    let last = "";
    const booted = async () => {
      if (this.qemu.exitCode !== null) throw new Error(await this.describeExit());
      const id = await this.bootId().catch((error: unknown) => void (last = messageOf(error)));
      return id !== undefined && id !== previous ? true : undefined;
    };
    const onTimeout = (seconds: number) => new Error(`the virtual machine does not answer after ${seconds} s: ${last}`);
    const signal = new AbortController().signal;
    await until(booted, { signal, timeout: BOOT_SECONDS, every: 2_000, onTimeout });
    // The services that start at boot have started, so that their state can be compared.
    await this.run("systemctl is-system-running --wait || true");
  }

  private async describeExit(): Promise<string> {
    const log = await readFile(join(this.folder, "qemu.log"), "utf8");
    return `QEMU ended with code ${this.qemu.exitCode}: ${log}\n${await this.console()}`;
  }
}

function qemuArguments(image: VmImage, folder: string, port: number): string[] {
  const drive = (name: string) => `file=${join(folder, name)}.qcow2,if=virtio,format=qcow2,cache=unsafe,discard=unmap`;
  // la57=off: page tables of four levels, as on most machines, and less to emulate. The mitigations protect processes
  // from each other on a CPU that no other process can use.
  const cpu = hasKvm() ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg,thread=multi", "-cpu", "max,la57=off"];
  return [
    ...["-M", "q35", ...cpu, "-smp", String(CPUS), "-m", String(MEMORY_MIB), "-display", "none"],
    ...["-kernel", image.kernel, "-initrd", image.initrd],
    ...["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off"],
    ...["-drive", drive("disk"), "-drive", drive("swap")],
    ...["-netdev", `user,id=net0,hostfwd=tcp:127.0.0.1:${port}-:22`, "-device", "virtio-net-pci,netdev=net0"],
    ...["-device", "virtio-rng-pci", "-serial", `file:${join(folder, "console.log")}`],
  ];
}

/** Whether KVM can run a machine: /dev/kvm alone can also belong to a host without virtualization in hardware. */
export function hasKvm(): boolean {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}
