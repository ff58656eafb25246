import type { Outputs } from "../../../contracts/contract";
import { dockerNetworkContract } from "../../../contracts/docker/network";
import { StepError } from "../../../common/errors";
import type { Handler } from "../../rpc/handler";
import { ensureDaemon, findDaemon } from "../../docker/daemon";
import { ensureNetwork, findNetwork, networkName, removeNetwork, type Network } from "../../docker/network";
import { hasOverlap } from "../../docker/subnets";

type NetworkOutputs = Outputs<typeof dockerNetworkContract>;

/** A bridge network for the machines of one stack. */
export const networkResource: Handler<typeof dockerNetworkContract> = {
  contract: dockerNetworkContract,
  replaceOn: ["stack", "subnet"],

  check({ subnet, avoid }) {
    const other = subnet && avoid?.find((range) => hasOverlap(range, subnet));
    return other ? [{ path: "subnet", reason: `overlaps with ${other}` }] : [];
  },

  async create({ settings, status, signal }, inputs) {
    await ensureDaemon(settings.dockerEnvironment, status, signal);
    status("creating the network");
    const network = await ensureNetwork(inputs, signal);
    return { id: network.id, outputs: outputsOf(network) };
  },

  async adopt({ signal }, { stack }) {
    const name = networkName(stack);
    const network = await findNetwork(name, signal);
    if (network?.stack === stack) return { id: network.id, outputs: outputsOf(network) };
    throw new StepError({
      step: "adopting the network",
      cause: `Docker has no network ${name} of this stack`,
      action: "check the stack's name, and that id_ed25519 in its folder is the key that created the machines",
    });
  },

  /** Only `avoid` changes in place. It needs an action only if the subnet now overlaps it. */
  async update({ name }, _id, { avoid = [] }, { outputs }) {
    const other = avoid.find((range) => hasOverlap(range, outputs.actualSubnet));
    if (!other) return outputs;
    throw new StepError({
      step: name,
      cause: `the network's subnet ${outputs.actualSubnet} overlaps with ${other}`,
      action: "replace the network and its machines (`pulumi up --replace`), or choose another range",
    });
  },

  async read({ warn, signal }, id, old) {
    if (!(await findDaemon(signal))) {
      warn("Docker does not answer: keeping the last known state of the network");
      return old;
    }
    const network = await findNetwork(id, signal);
    if (!network) return undefined;
    const subnet = old.inputs.subnet === undefined ? {} : { subnet: network.subnet };
    return { inputs: { ...old.inputs, ...subnet }, outputs: outputsOf(network) };
  },

  async delete({ settings, status, signal }, id, { inputs }) {
    await ensureDaemon(settings.dockerEnvironment, status, signal);
    await removeNetwork(id, inputs.stack, signal);
  },
};

function outputsOf({ name, subnet, gateway }: Network): NetworkOutputs {
  return { networkName: name, actualSubnet: subnet, gateway };
}
