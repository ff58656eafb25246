import { z } from "zod";
import type { MachineFacts } from "../../render/facts";
import { gatherFacts } from "../host/facts";
import { lookAt } from "../host/on-host";
import { register, type Context, type Handler } from "../rpc/handler";
import { connectionSchema } from "../ssh/connection";
import { remote } from "../ssh/pool";

const schema = z.strictObject({ connection: connectionSchema });
type HostInputs = z.infer<typeof schema>;

/** Facts that stay as they are for as long as the machine does; what varies from minute to minute is the preflight's. */
export type HostFacts = Omit<MachineFacts, "bootId" | "clockSkewSeconds" | "diskFreeMiB" | "listeningPorts" | "kubernetesState">;

interface HostOutputs {
  facts: HostFacts;
  /** The machine-id. */
  instance: string;
  /** The key that the host showed; pinned from the first connection when none was given. */
  hostKey: string;
}

async function look(context: Context, inputs: HostInputs): Promise<HostOutputs> {
  const machine = remote(inputs.connection);
  context.status("connecting");
  const { bootId: _1, clockSkewSeconds: _2, diskFreeMiB: _3, listeningPorts: _4, kubernetesState: _5, ...facts } = await gatherFacts(machine, context.signal);
  return { facts, instance: facts.machineId, hostKey: await machine.hostKey(context.signal) };
}

/** A machine as the toolkit found it: facts, identity, pinned host key. Leaves nothing on it. */
const host: Handler<HostInputs, HostOutputs> = {
  schema,
  outputs: ["facts", "instance", "hostKey"],
  replaceOn: ["connection.host", "connection.port", "connection.hostKey"],
  ignore: ["connection.privateKeyPath", "connection.privateKey", "connection.name"],
  async create(context, inputs) {
    const outputs = await look(context, inputs);
    return { id: inputs.connection.name ?? inputs.connection.host, outputs };
  },
  update: (context, _id, inputs) => look(context, inputs),
  async read(context, _id, old) {
    // A machine that was rebuilt behind our back shows here, as another `instance`, and nowhere else.
    const same = { inputs: { ...old.inputs, instance: old.outputs.instance }, outputs: old.outputs };
    const seen = await lookAt(context, same, () => Promise.resolve(same));
    if (seen) return old;
    return { inputs: old.inputs, outputs: await look(context, old.inputs) };
  },
};

export const hostResource = register(host);
