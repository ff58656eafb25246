import type { Inputs, Outputs } from "../../contracts/contract";
import { etcHostsContract } from "../../contracts/host/etc-hosts";
import { ARRIVING_SUFFIX } from "../../contracts/files";
import { SUM, sha256 } from "../host/files";
import { hostsBlock, parseHostsBlock, replaceHostsBlock } from "../../render/hosts";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const FILE = "/etc/hosts";
type HostsInputs = Inputs<typeof etcHostsContract>;
type HostsOutputs = Outputs<typeof etcHostsContract>;

async function readHostsFile(machine: Remote, signal: AbortSignal): Promise<string> {
  const { stdout } = await machine.read(`base64 -w0 < ${FILE}`, { step: `reading ${FILE}`, signal });
  return Buffer.from(stdout.trim(), "base64").toString();
}

/**
 * Writes the whole content to a new file, verifies it, and replaces /etc/hosts atomically. In a container /etc/hosts is
 * a mount point, which cannot be replaced: there the verified content is copied into it.
 */
function replaceScript(content: string): string {
  const temporary = `${FILE}${ARRIVING_SUFFIX}`;
  return `set -e
${SUM}
trap 'rm -f ${temporary}' EXIT
cp -p ${FILE} ${temporary}
cat > ${temporary}
if [ "$(sum < ${temporary} | cut -d' ' -f1)" != ${sha256(content)} ]; then
  echo "the new content arrived incomplete" >&2
  exit 1
fi
mv -fT ${temporary} ${FILE} 2>/dev/null || cat ${temporary} > ${FILE}
if command -v restorecon >/dev/null 2>&1; then restorecon ${FILE}; fi`;
}

async function writeBlock(machine: Remote, entries: Record<string, string>, signal: AbortSignal): Promise<void> {
  const before = await readHostsFile(machine, signal);
  const after = replaceHostsBlock(before, hostsBlock(entries));
  if (after !== before) await machine.run(replaceScript(after), { step: `writing ${FILE}`, signal, stdin: after });
}

async function apply(context: Context, inputs: HostsInputs): Promise<HostsOutputs> {
  const machine = await requireMachine(context, inputs);
  context.status(`${FILE}: ${Object.keys(inputs.entries).length} machines`);
  await writeBlock(machine, inputs.entries, context.signal);
  return {};
}

const idOf = ({ instance }: HostsInputs) => `${instance}/hosts`;

/** The names and addresses of the cluster's machines, in a separate block of /etc/hosts. Other lines stay unchanged. */
const hosts: Handler<typeof etcHostsContract> = {
  contract: etcHostsContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: MACHINE_IGNORE,
  create: async (context, inputs) => ({ id: idOf(inputs), outputs: await apply(context, inputs) }),
  adopt: adoptById(idOf),
  update: (context, _id, inputs) => apply(context, inputs),
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const entries = parseHostsBlock(await readHostsFile(machine, context.signal));
      const same = hostsBlock(entries) === hostsBlock(old.inputs.entries);
      return { inputs: { ...old.inputs, entries: same ? old.inputs.entries : entries }, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (machine) await writeBlock(machine, {}, context.signal);
  },
};

export const hostsResource = register(hosts);
