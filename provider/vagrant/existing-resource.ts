import { existsSync } from "node:fs";
import { z } from "zod";
import { StepError, messageOf } from "../../common/errors";
import { includes, parseCidr } from "../../render/cidr";
import type { Context, Handler } from "../rpc/handler";
import { otherAddresses } from "./answers";
import { vagrant } from "./command";
import { type Outputs, VAGRANT_OUTPUTS, hostKeyOf, troubles } from "./machine-resource";
import { sshConfigs } from "./machines";

interface Inputs {
  /** On the controller: the person's own. */
  vagrantfile: string;
  /** The machine's name in it. */
  machine: string;
  /** Where the nodes reach one another; absent: on the first interface that is not Vagrant's own. */
  subnet?: string | undefined;
}

/** A machine of a Vagrantfile that is the person's: we ask how to log in, and neither start nor stop nor destroy it. */
export const existingResource: Handler<Inputs, Outputs> = {
  schema: z.strictObject({
    vagrantfile: z.string().min(1),
    machine: z.string().min(1),
    subnet: z.cidrv4("must be an IPv4 CIDR, such as 192.168.56.0/24").optional(),
  }),
  outputs: VAGRANT_OUTPUTS,
  replaceOn: ["vagrantfile", "machine", "subnet"],
  async check({ vagrantfile }, { vagrantTroubles }) {
    if (vagrantfile !== undefined && !existsSync(vagrantfile))
      return [{ path: "vagrantfile", reason: `there is no file ${vagrantfile}` }];
    return await troubles(vagrantTroubles);
  },
  create: async (context, inputs) => ({ id: inputs.machine, outputs: await look(context, inputs) }),
  async read(context, _id, old) {
    try {
      return { inputs: old.inputs, outputs: await look(context, old.inputs) };
    } catch (error) {
      context.signal.throwIfAborted();
      context.warn(`what was known last is kept: ${messageOf(error)}`);
      return old;
    }
  },
};

async function look({ status, signal }: Context, { vagrantfile, machine, subnet }: Inputs): Promise<Outputs> {
  status("vagrant ssh-config");
  const ssh = (await sshConfigs(vagrantfile, [machine], signal)).get(machine);
  if (!ssh) {
    const action = `run \`vagrant up ${machine}\` where ${vagrantfile} is, or name its machine under machines.vagrant.names`;
    throw new StepError({ step: "vagrant ssh-config", machine, cause: "Vagrant has no such machine running", action });
  }
  const { host: address, port, user, privateKeyPath } = ssh;
  const privateAddress = await addressAmongNodes(vagrantfile, machine, address, subnet, signal);
  const hostKey = await hostKeyOf(vagrantfile, machine, signal);
  return { machineId: machine, address, port, user, privateKeyPath, hostKey, privateAddress };
}

async function addressAmongNodes(
  file: string,
  machine: string,
  address: string,
  subnet: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const step = `reading the addresses of ${machine}`;
  const script = "ip -o -4 addr show scope global; echo --; ip -4 route show default";
  const [addresses = "", route = ""] = (
    await vagrant(file, ["ssh", "--no-tty", "-c", script, machine], { step, signal, timeout: 120 })
  ).split("--");
  const found = otherAddresses(addresses, route);
  const range = subnet === undefined ? undefined : parseCidr(subnet);
  const chosen = range
    ? found.find((candidate) => includes(range, candidate))
    : (found[0] ?? (address.startsWith("127.") ? undefined : address));
  if (chosen !== undefined) return chosen;
  const cause =
    subnet === undefined ? "it has no address but the one that Vagrant forwards" : `it has no address in ${subnet}`;
  throw new StepError({
    step,
    machine,
    cause,
    action: "give it a private network in its Vagrantfile: the nodes must reach one another",
  });
}
