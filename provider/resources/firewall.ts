import type { Inputs, Outputs } from "../../contracts/contract";
import { firewallContract } from "../../contracts/host/firewall";
import { commandLine, quote } from "../../common/quote";
import { template } from "../../render/template";
import { HOST_IGNORES, HOST_REPLACES, lookAt, sameMachine, theMachine } from "../host/on-machine";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type FirewallInputs = Inputs<typeof firewallContract>;
type FirewallOutputs = Outputs<typeof firewallContract>;

type Rules = Pick<FirewallInputs, "ports" | "ranges">;
interface Answer {
  firewall: string;
  missing: string[];
}

async function ask(
  machine: Remote,
  verb: "missing" | "open" | "close",
  { ports, ranges }: Rules,
  signal: AbortSignal,
): Promise<Answer> {
  const head = [`verb=${verb}`, `ports=${quote(ports.join(" "))}`, `ranges=${quote(ranges.join(" "))}`].join("\n");
  const script = `${head}\n${template("host/firewall.sh")}`;
  const action = `check \`firewall-cmd --list-all\` or \`ufw status\` on the machine; a node needs ${commandLine(ports)}`;
  const { stdout } = await (verb === "missing"
    ? machine.read(script, { step: "reading the firewall", signal, action })
    : machine.run(script, { step: "changing the firewall", signal, action }));
  const values = (key: string) =>
    stdout.split("\n").flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  return { firewall: values("firewall")[0] ?? "none", missing: values("missing") };
}

async function open(context: Context, inputs: FirewallInputs): Promise<FirewallOutputs> {
  const machine = await theMachine(context, inputs);
  const { firewall, missing } = await ask(machine, "missing", inputs, context.signal);
  if (missing.length === 0) return { firewall };
  const lacking = (all: string[]) => all.filter((rule) => missing.includes(rule));
  context.status(`opening ${missing.join(" ")} in ${firewall}`);
  await ask(machine, "open", { ports: lacking(inputs.ports), ranges: lacking(inputs.ranges) }, context.signal);
  const { missing: still } = await ask(machine, "missing", inputs, context.signal);
  if (still.length > 0)
    throw new Error(
      `${machine.label}: ${firewall} does not list ${still.join(" ")} after they were opened; check its log`,
    );
  context.info(`${machine.label}: ${firewall} stays active; opened ${missing.join(" ")}`);
  return { firewall };
}

/**
 * Rules that a node needs in the machine's active firewall. Without one, nothing changes; a refresh reports a firewall
 * that is enabled later.
 */
const firewall: Handler<typeof firewallContract> = {
  contract: firewallContract,
  replaceOn: HOST_REPLACES,
  ignore: HOST_IGNORES,
  create: async (context, inputs) => ({ id: `${inputs.instance}/firewall`, outputs: await open(context, inputs) }),
  async update(context, _id, inputs, { inputs: old }) {
    const machine = await theMachine(context, inputs);
    const gone = (all: string[], wanted: string[]) => all.filter((rule) => !wanted.includes(rule));
    const dropped = { ports: gone(old.ports, inputs.ports), ranges: gone(old.ranges, inputs.ranges) };
    if (dropped.ports.length + dropped.ranges.length > 0) await ask(machine, "close", dropped, context.signal);
    return await open(context, inputs);
  },
  read: (context, _id, old) =>
    lookAt(context, old, async (machine) => {
      const { ports, ranges } = old.inputs;
      const { firewall, missing } = await ask(machine, "missing", old.inputs, context.signal);
      const there = (all: string[]) => all.filter((rule) => !missing.includes(rule));
      return { inputs: { ...old.inputs, ports: there(ports), ranges: there(ranges) }, outputs: { firewall } };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await sameMachine(context, inputs);
    if (machine) await ask(machine, "close", inputs, context.signal);
  },
};

export const firewallResource = register(firewall);
