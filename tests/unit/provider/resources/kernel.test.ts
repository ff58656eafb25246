import { beforeEach, expect, test } from "vitest";
import { kernelResource } from "../../../../provider/resources/kernel";
import { MemoryMachine } from "../../../support/memory-machine";

const MODULES = "/etc/modules-load.d/kubewright.conf";
const SYSCTLS = "/etc/sysctl.d/99-kubewright.conf";
const FORWARD = "net.ipv4.ip_forward";

/** A machine with one sysctl and some bytes of swap. */
class KernelMachine extends MemoryMachine {
  forward = "0";
  swapBytes = 0;

  constructor() {
    super();
    this.on(/sysctl -q -p/, () => {
      this.forward = /ip_forward = (\d)/.exec(this.files.get(SYSCTLS)?.content ?? "")?.[1] ?? this.forward;
      return "";
    });
    this.on(/sysctl -n/, () => `${FORWARD}=${this.forward}\n`);
    this.on(/swapon --show/, () => (this.swapBytes > 0 ? `${this.swapBytes}\n` : ""));
    this.on(/swapoff/, () => {
      this.swapBytes = 0;
      return "";
    });
  }
}

let machine: KernelMachine;
let warnings: string[];
beforeEach(() => {
  machine = new KernelMachine();
  warnings = [];
});
const inputs = (problem?: string) => ({
  ...machine.target,
  modules: ["br_netfilter", "overlay"],
  sysctls: { [FORWARD]: "1" },
  swapOff: true,
  ...(problem === undefined ? {} : { problem }),
});
const context = () => machine.context({ warn: (message) => void warnings.push(message) });
const create = () => kernelResource.create(context(), inputs());
const read = async () => (await kernelResource.read!(context(), "id", { inputs: inputs(), outputs: {} }))?.inputs;
const updateAfter = (problem?: string) =>
  kernelResource.update!(context(), "id", inputs(), { inputs: inputs(problem), outputs: {} });

test("modules and sysctls are applied now, and recorded for the next boot", async () => {
  await create();
  expect(machine.forward).toBe("1");
  expect(machine.scripts.some((script) => /modprobe br_netfilter\nmodprobe overlay\n/.test(script))).toBe(true);
  expect(machine.files.get(MODULES)).toEqual({ content: "br_netfilter\noverlay\n", mode: "0644" });
  expect(machine.files.get(SYSCTLS)).toEqual({ content: `${FORWARD} = 1\n`, mode: "0644" });
  expect(await read()).toEqual(inputs());
});

test("a module that the kernel lacks fails with the cause and the next action", async () => {
  machine.on(/modprobe/, () => ({ code: 1, stderr: "Module br_netfilter not found" }));
  await expect(create()).rejects.toThrow(
    /kernel settings failed on worker-1.*: Module br_netfilter not found; load the module or change the setting/,
  );
});

test("a refresh reports a sysctl with another value", async () => {
  await create();
  machine.forward = "0";
  expect(await read()).toEqual({ ...inputs(), sysctls: { [FORWARD]: "0" } });
});

test("a refresh reports files that would change the settings at the next boot", async () => {
  await create();
  machine.files.set(MODULES, { content: "overlay\n", mode: "0644" });
  machine.files.delete(SYSCTLS);
  expect(await read()).toMatchObject({ problem: `${MODULES} was changed; ${SYSCTLS} is missing` });
});

test("a refresh reports swap, and the next update turns it off with a warning", async () => {
  await create();
  machine.swapBytes = 512 << 20;
  expect(await read()).toMatchObject({ problem: "swap is on (512 MiB)" });
  await updateAfter("swap is on (512 MiB)");
  expect(machine.swapBytes).toBe(0);
  expect(warnings).toEqual([expect.stringMatching(/swap is turned off on worker-1.*remove it from \/etc\/fstab/)]);
});

test("swap stays on where no refresh has reported it", async () => {
  machine.swapBytes = 1 << 20;
  await create();
  await updateAfter(`${MODULES} is missing`);
  expect(machine.swapBytes).toBe(1 << 20);
  expect(warnings).toEqual([]);
});

test("a creation records the machine before its first change, an update does not", async () => {
  const isRecord = (script: string) => script.includes("machine-before") && script.includes(FORWARD);
  await create();
  expect(machine.scripts.findIndex(isRecord)).toBe(0);
  machine.scripts.length = 0;
  await updateAfter();
  expect(machine.scripts.some(isRecord)).toBe(false);
});

test("a delete removes the files and restores the machine's own values", async () => {
  await create();
  machine.files.set("/etc/sysctl.d/10-own.conf", { content: "x", mode: "0644" });
  await kernelResource.delete!(context(), "id", { inputs: inputs(), outputs: {} });
  expect([...machine.files.keys()]).toEqual(["/etc/sysctl.d/10-own.conf"]);
  expect(machine.scripts.at(-1)).toContain("Restores the kernel settings");
});
