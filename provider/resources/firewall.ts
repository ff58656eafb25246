import type { Inputs, Outputs } from "../../contracts/contract";
import { firewallContract } from "../../contracts/host/firewall";
import { commandLine, quote } from "../../common/quote";
import { template } from "../../render/template";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type FirewallInputs = Inputs<typeof firewallContract>;
type FirewallOutputs = Outputs<typeof firewallContract>;

type Rules = Pick<FirewallInputs, "ports" | "ranges">;
interface FirewallState {
  /** `firewalld`, `ufw` or `none`. */
  firewall: string;
  /** Rules that are not in effect. */
  missing: string[];
}

async function runFirewallScript(
  machine: Remote,
  verb: "missing" | "open" | "close",
  { ports, ranges }: Rules,
  signal: AbortSignal,
): Promise<FirewallState> {
  const head = [`verb=${verb}`, `ports=${quote(ports.join(" "))}`, `ranges=${quote(ranges.join(" "))}`].join("\n");
  const script = `${head}\n${template("host/firewall.sh")}`;
  const rules = commandLine(ports);
  const action = `check \`firewall-cmd --list-all\` or \`ufw status\` on the machine; a node needs ${rules}`;
  const { stdout } = await (verb === "missing"
    ? machine.read(script, { step: "reading the firewall", signal, action })
    : machine.run(script, { step: "changing the firewall", signal, action }));
  const values = (key: string) =>
    stdout.split("\n").flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  return { firewall: values("firewall")[0] ?? "none", missing: values("missing") };
}

async function openRules(context: Context, inputs: FirewallInputs): Promise<FirewallOutputs> {
  const machine = await requireMachine(context, inputs);
  const { firewall, missing } = await runFirewallScript(machine, "missing", inputs, context.signal);
  if (missing.length === 0) return { firewall };
  const onlyMissing = (all: string[]) => all.filter((rule) => missing.includes(rule));
  context.status(`opening ${missing.join(" ")} in ${firewall}`);
  await runFirewallScript(
    machine,
    "open",
    { ports: onlyMissing(inputs.ports), ranges: onlyMissing(inputs.ranges) },
    context.signal,
  );
  const { missing: still } = await runFirewallScript(machine, "missing", inputs, context.signal);
  if (still.length > 0)
    throw new Error(
      `${machine.label}: ${firewall} does not list ${still.join(" ")} after they were opened; check its log`,
    );
  context.info(`${machine.label}: ${firewall} stays active; opened ${missing.join(" ")}`);
  return { firewall };
}

const idOf = ({ instance }: FirewallInputs) => `${instance}/firewall`;

/**
 * The rules that a node needs in the machine's active firewall. Without an active firewall nothing changes; a refresh
 * reports a firewall that is enabled later.
 */
const firewall: Handler<typeof firewallContract> = {
  contract: firewallContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: MACHINE_IGNORE,
  create: async (context, inputs) => ({ id: idOf(inputs), outputs: await openRules(context, inputs) }),
  async adopt(context, inputs) {
    const machine = context.connections.get(inputs.connection);
    const { firewall } = await runFirewallScript(machine, "missing", inputs, context.signal);
    return { id: idOf(inputs), outputs: { firewall } };
  },
  async update(context, _id, inputs, { inputs: old }) {
    const machine = await requireMachine(context, inputs);
    const withdrawn = (all: string[], configured: string[]) => all.filter((rule) => !configured.includes(rule));
    const dropped = { ports: withdrawn(old.ports, inputs.ports), ranges: withdrawn(old.ranges, inputs.ranges) };
    if (dropped.ports.length + dropped.ranges.length > 0)
      await runFirewallScript(machine, "close", dropped, context.signal);
    return await openRules(context, inputs);
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const { ports, ranges } = old.inputs;
      const { firewall, missing } = await runFirewallScript(machine, "missing", old.inputs, context.signal);
      const onlyOpen = (all: string[]) => all.filter((rule) => !missing.includes(rule));
      return { inputs: { ...old.inputs, ports: onlyOpen(ports), ranges: onlyOpen(ranges) }, outputs: { firewall } };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (machine) await runFirewallScript(machine, "close", inputs, context.signal);
  },
};

export const firewallResource = register(firewall);
