import { z } from "zod";
import { StepError } from "../../common/errors";
import type { Handler } from "../rpc/handler";
import { ensureDaemon, findDaemon } from "./daemon";
import { ensureNetwork, findNetwork, removeNetwork, type Network } from "./network";
import { overlap } from "./subnets";

interface Inputs {
  stack: string;
  /** IPv4 CIDR. Default: a free /24. */
  subnet?: string | undefined;
  /** CIDRs that the chosen subnet keeps clear of. */
  avoid?: string[] | undefined;
}

interface Outputs {
  networkName: string;
  actualSubnet: string;
  gateway: string;
}

const cidr = z.union([z.cidrv4(), z.cidrv6()], "must be a CIDR, such as 10.244.0.0/16");

/** A bridge network for the machines of one stack. */
export const networkResource: Handler<Inputs, Outputs> = {
  schema: z.strictObject({
    stack: z.string().min(1),
    subnet: z.cidrv4("must be an IPv4 CIDR, such as 172.30.0.0/24").optional(),
    avoid: z.array(cidr).optional(),
  }),
  outputs: ["networkName", "actualSubnet", "gateway"],
  replaceOn: ["stack", "subnet"],

  check({ subnet, avoid }) {
    const other = subnet && avoid?.find((range) => overlap(range, subnet));
    return other ? [{ path: "subnet", reason: `overlaps with ${other}` }] : [];
  },

  async create({ status, signal }, inputs) {
    await ensureDaemon(status, signal);
    status("creating the network");
    const network = await ensureNetwork(inputs, signal);
    return { id: network.id, outputs: outputsOf(network) };
  },

  /** Only `avoid` changes in place, and then there is nothing to do. */
  update({ name }, _id, { avoid = [] }, { outputs }) {
    const other = avoid.find((range) => overlap(range, outputs.actualSubnet));
    if (!other) return Promise.resolve(outputs);
    const action = "replace the network and its machines (`pulumi up --replace`), or choose another range";
    return Promise.reject(
      new StepError({
        step: name,
        cause: `the network's subnet ${outputs.actualSubnet} overlaps with ${other}`,
        action,
      }),
    );
  },

  async read({ warn, signal }, id, old) {
    if (!(await findDaemon(signal))) {
      warn("Docker does not answer: the network's last known state is kept");
      return old;
    }
    const network = await findNetwork(id, signal);
    if (!network) return undefined;
    const subnet = old.inputs.subnet === undefined ? {} : { subnet: network.subnet };
    return { inputs: { ...old.inputs, ...subnet }, outputs: outputsOf(network) };
  },

  async delete({ status, signal }, id, { inputs }) {
    await ensureDaemon(status, signal);
    await removeNetwork(id, inputs.stack, signal);
  },
};

function outputsOf({ name, subnet, gateway }: Network): Outputs {
  return { networkName: name, actualSubnet: subnet, gateway };
}
