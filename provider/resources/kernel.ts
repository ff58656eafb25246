import { z } from "zod";
import { quote } from "../../common/quote";
import { put, removeFiles, textFile } from "../host/files";
import { HOST_IGNORES, HOST_REPLACES, lookAt, onHost, sameMachine, theMachine } from "../host/on-host";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const MODULES_FILE = "/etc/modules-load.d/kubewright.conf";
const SYSCTL_FILE = "/etc/sysctl.d/99-kubewright.conf";

const schema = z.strictObject({
  ...onHost,
  modules: z.array(z.string().regex(/^[a-z0-9_][a-z0-9_-]*$/, "a module's name has letters, digits, - and _")),
  sysctls: z.record(
    z.string().regex(/^[a-z0-9_][a-zA-Z0-9_./-]*$/, "a sysctl's name is dotted: net.ipv4.ip_forward"),
    z.string().regex(/^[\x20-\x7e]+$/, "a sysctl's value is one line of printable characters"),
  ),
});

type KernelInputs = z.infer<typeof schema>;
type KernelOutputs = Record<string, never>;

async function apply(context: Context, inputs: KernelInputs): Promise<void> {
  const machine = await theMachine(context, inputs);
  const { signal } = context;
  context.status("kernel modules and sysctls");
  const lines = Object.entries(inputs.sysctls).map(([name, value]) => `${name} = ${value}\n`);
  const files = [textFile(MODULES_FILE, inputs.modules.map((name) => `${name}\n`).join(""), "0644"), textFile(SYSCTL_FILE, lines.join(""), "0644")];
  await put(machine, files, "kernel settings", signal);
  const script = ["set -e", ...inputs.modules.map((name) => `modprobe ${quote(name)}`), `sysctl -q -p ${SYSCTL_FILE}`].join("\n");
  await machine.run(script, { step: "kernel settings", signal, action: "load the module or raise the setting on the machine's host" });
}

async function sysctlsOf(machine: Remote, names: readonly string[], signal: AbortSignal): Promise<Record<string, string>> {
  const script = names.map((name) => `printf '%s=%s\\n' ${quote(name)} "$(sysctl -n ${quote(name)} 2>/dev/null | tr '\\t' ' ')"`).join("\n");
  const { stdout } = await machine.run(script || "true", { step: "reading kernel settings", signal });
  return Object.fromEntries(
    stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const),
  );
}

/** Kernel modules and sysctls, now and after a reboot (modules-load.d(5), sysctl.d(5)). */
const kernel: Handler<KernelInputs, KernelOutputs> = {
  schema,
  outputs: [],
  replaceOn: HOST_REPLACES,
  ignore: HOST_IGNORES,
  async create(context, inputs) {
    await apply(context, inputs);
    return { id: `${inputs.instance}/kernel`, outputs: {} };
  },
  async update(context, _id, inputs) {
    await apply(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    lookAt(context, old, async (machine) => {
      const sysctls = await sysctlsOf(machine, Object.keys(old.inputs.sysctls), context.signal);
      return { inputs: { ...old.inputs, sysctls }, outputs: {} };
    }),
  // The values stay until the next boot: what they were before, nobody wrote down, and others may rely on them.
  async delete(context, _id, { inputs }) {
    const machine = await sameMachine(context, inputs);
    if (machine) await removeFiles(machine, [MODULES_FILE, SYSCTL_FILE], "removing kernel settings", context.signal);
  },
};

export const kernelResource = register(kernel);
