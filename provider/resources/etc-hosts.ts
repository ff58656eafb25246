import type { Inputs, Outputs } from "../../contracts/contract";
import { etcHostsContract } from "../../contracts/host/etc-hosts";
import { ARRIVING_SUFFIX } from "../../contracts/files";
import { SUM, sha256 } from "../host/files";
import { hostsBlock, parseHostsBlock, replaceHostsBlock } from "../../render/hosts";
import { HOST_IGNORES, HOST_REPLACES, lookAt, sameMachine, theMachine } from "../host/on-machine";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const FILE = "/etc/hosts";
type HostsInputs = Inputs<typeof etcHostsContract>;
type HostsOutputs = Outputs<typeof etcHostsContract>;

async function text(machine: Remote, signal: AbortSignal): Promise<string> {
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
[ "$(sum < ${temporary} | cut -d' ' -f1)" = ${sha256(content)} ] || { echo "it arrived incomplete" >&2; exit 1; }
mv -fT ${temporary} ${FILE} 2>/dev/null || cat ${temporary} > ${FILE}
if command -v restorecon >/dev/null 2>&1; then restorecon ${FILE}; fi`;
}

async function write(machine: Remote, entries: Record<string, string>, signal: AbortSignal): Promise<void> {
  const before = await text(machine, signal);
  const after = replaceHostsBlock(before, hostsBlock(entries));
  if (after !== before) await machine.run(replaceScript(after), { step: `writing ${FILE}`, signal, stdin: after });
}

async function apply(context: Context, inputs: HostsInputs): Promise<HostsOutputs> {
  const machine = await theMachine(context, inputs);
  context.status(`${FILE}: ${Object.keys(inputs.entries).length} machines`);
  await write(machine, inputs.entries, context.signal);
  return {};
}

/** The cluster's machines by name in /etc/hosts, in a block of its own. Other lines are left alone. */
const hosts: Handler<typeof etcHostsContract> = {
  contract: etcHostsContract,
  replaceOn: HOST_REPLACES,
  ignore: HOST_IGNORES,
  create: async (context, inputs) => ({ id: `${inputs.instance}/hosts`, outputs: await apply(context, inputs) }),
  update: (context, _id, inputs) => apply(context, inputs),
  read: (context, _id, old) =>
    lookAt(context, old, async (machine) => {
      const found = parseHostsBlock(await text(machine, context.signal));
      const same = hostsBlock(found) === hostsBlock(old.inputs.entries);
      return { inputs: { ...old.inputs, entries: same ? old.inputs.entries : found }, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await sameMachine(context, inputs);
    if (machine) await write(machine, {}, context.signal);
  },
};

export const hostsResource = register(hosts);
