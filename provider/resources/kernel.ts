import type { Inputs } from "../../contracts/contract";
import { kernelContract } from "../../contracts/host/kernel";
import { quote } from "../../common/quote";
import { inspectFiles, writeFiles, removeFiles, textFile } from "../host/files";
import type { OutgoingFile } from "../host/archive";
import { recordMachine, restoreKernel } from "../host/machine-record";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const MODULES_FILE = "/etc/modules-load.d/kubewright.conf";
const SYSCTL_FILE = "/etc/sysctl.d/99-kubewright.conf";

type KernelInputs = Inputs<typeof kernelContract>;

function filesOf({ modules, sysctls }: KernelInputs): OutgoingFile[] {
  const lines = Object.entries(sysctls).map(([name, value]) => `${name} = ${value}\n`);
  return [
    textFile(MODULES_FILE, modules.map((name) => `${name}\n`).join(""), "0644"),
    textFile(SYSCTL_FILE, lines.join(""), "0644"),
  ];
}

/** `create` is the first change of the machine. */
type Verb = "create" | "update" | "update and turn swap off";

async function apply(context: Context, inputs: KernelInputs, verb: Verb): Promise<void> {
  const machine = await requireMachine(context, inputs);
  const { signal } = context;
  context.status("kernel modules and sysctls");
  if (verb === "create") await recordMachine(machine, Object.keys(inputs.sysctls), signal);
  await writeFiles(machine, filesOf(inputs), "kernel settings", signal, { keepsPrevious: verb === "create" });
  const script = [
    "set -e",
    ...inputs.modules.map((name) => `modprobe ${quote(name)}`),
    `sysctl -q -p ${SYSCTL_FILE}`,
  ].join("\n");
  await machine.run(script, {
    step: "kernel settings",
    signal,
    action: "load the module or change the setting on the machine's host",
  });
  if (!inputs.swapOff || verb !== "update and turn swap off") return;
  context.warn(`swap is turned off on ${machine.label}; remove it from /etc/fstab, or the next boot turns it on again`);
  await machine.run("swapoff -a", {
    step: "turning swap off",
    signal,
    action: "free some memory: the machine may have too little to run without swap",
  });
}

/** Returns the MiB of swap of the machine itself. */
async function readSwap(machine: Remote, signal: AbortSignal): Promise<number> {
  const script = "systemd-detect-virt -qc || swapon --show=SIZE --bytes --noheadings; true";
  const { stdout } = await machine.read(script, { step: "reading the swap", signal });
  return Math.round(stdout.split("\n").reduce((sum, line) => sum + (Number(line) || 0), 0) / (1 << 20));
}

/**
 * Returns what would go wrong at the next boot or the next start of the kubelet, even if the current values are right.
 */
async function findProblem(machine: Remote, inputs: KernelInputs, signal: AbortSignal): Promise<string | undefined> {
  const configured = filesOf(inputs);
  const [existing, swap] = await Promise.all([
    inspectFiles(
      machine,
      configured.map(({ path }) => path),
      signal,
    ),
    inputs.swapOff ? readSwap(machine, signal) : 0,
  ]);
  const differences = configured.flatMap(({ path, sha256 }) =>
    existing.get(path)?.sha256 === sha256 ? [] : [`${path} ${existing.has(path) ? "was changed" : "is missing"}`],
  );
  return [...differences, ...(swap > 0 ? [`swap is on (${swap} MiB)`] : [])].join("; ") || undefined;
}

async function readSysctls(
  machine: Remote,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const script = names
    .map((name) => `printf '%s=%s\\n' ${quote(name)} "$(sysctl -n ${quote(name)} 2>/dev/null | tr '\\t' ' ')"`)
    .join("\n");
  const { stdout } = await machine.read(script || "true", { step: "reading kernel settings", signal });
  return Object.fromEntries(
    stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const),
  );
}

const idOf = ({ instance }: KernelInputs) => `${instance}/kernel`;

/** Kernel modules and kernel settings, now and after a reboot (modules-load.d(5), sysctl.d(5)). */
const kernel: Handler<typeof kernelContract> = {
  contract: kernelContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: MACHINE_IGNORE,
  async create(context, inputs) {
    await apply(context, inputs, "create"); // the preflight has verified that there is no swap
    return { id: idOf(inputs), outputs: {} };
  },
  adopt: adoptById(idOf),
  async update(context, _id, inputs, old) {
    await apply(context, inputs, old.inputs.problem?.includes("swap") ? "update and turn swap off" : "update");
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const { problem: _, ...inputs } = old.inputs;
      const [sysctls, problem] = await Promise.all([
        readSysctls(machine, Object.keys(inputs.sysctls), context.signal),
        findProblem(machine, inputs, context.signal),
      ]);
      return { inputs: { ...inputs, sysctls, ...(problem ? { problem } : {}) }, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (!machine) return;
    await removeFiles(machine, [MODULES_FILE, SYSCTL_FILE], "removing kernel settings", context.signal);
    await restoreKernel(machine, context.signal);
  },
};

export const kernelResource = register(kernel);
