import type { Inputs, Outputs } from "../../contracts/contract";
import { etcHostsContract } from "../../contracts/host/etc-hosts";
import { hostsBlock, hostsEntries, withBlock } from "../../render/hosts";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const FILE = "/etc/hosts";
type HostsInputs = Inputs<typeof etcHostsContract>;
type HostsOutputs = Outputs<typeof etcHostsContract>;

async function readHostsFile(machine: Remote, signal: AbortSignal): Promise<string> {
  const { stdout } = await machine.read(`base64 -w0 < ${FILE}`, { step: `reading ${FILE}`, signal });
  return Buffer.from(stdout.trim(), "base64").toString();
}

/** Written into the file that is there and not in its place: in a container it may be a mount. */
async function writeBlock(machine: Remote, entries: Record<string, string>, signal: AbortSignal): Promise<void> {
  const before = await readHostsFile(machine, signal);
  const after = withBlock(before, hostsBlock(entries));
  if (after !== before) await machine.run(`cat > ${FILE}`, { step: `writing ${FILE}`, signal, stdin: after });
}

async function apply(context: Context, inputs: HostsInputs): Promise<HostsOutputs> {
  const machine = await requireMachine(context, inputs);
  context.status(`${FILE}: ${Object.keys(inputs.entries).length} machines`);
  await writeBlock(machine, inputs.entries, context.signal);
  return {};
}

/** The cluster's machines by name in /etc/hosts, in a block of our own; a person's lines are left alone. */
const hosts: Handler<typeof etcHostsContract> = {
  contract: etcHostsContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: MACHINE_IGNORE,
  create: async (context, inputs) => ({ id: `${inputs.instance}/hosts`, outputs: await apply(context, inputs) }),
  update: (context, _id, inputs) => apply(context, inputs),
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const found = hostsEntries(await readHostsFile(machine, context.signal));
      const same = hostsBlock(found) === hostsBlock(old.inputs.entries);
      return { inputs: { ...old.inputs, entries: same ? old.inputs.entries : found }, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (machine) await writeBlock(machine, {}, context.signal);
  },
};

export const hostsResource = register(hosts);
