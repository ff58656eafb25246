import type { Inputs } from "../../contracts/contract";
import { leftoversContract } from "../../contracts/host/leftovers";
import { leftoversScript } from "../../render/leftovers";
import { untilGone } from "../host/containers";
import { HOST_IGNORES, HOST_REPLACES, sameMachine } from "../host/on-machine";
import { register, type Handler } from "../rpc/handler";

type RemainsInputs = Inputs<typeof leftoversContract>;

/** Pods that work on the machine itself, by their containers. */
const CONTAINERS: Partial<Record<RemainsInputs["of"], string>> = {
  "kube-proxy": "kube-proxy",
  flannel: "kube-flannel",
};
const STOP_SECONDS = 120;
const CLEAN_SECONDS = 60;

/**
 * What somebody leaves on a machine when it goes: rules, routes, links. Nothing is done when this is made; it is made before what leaves
 * something, and so deleted after it.
 */
const remains: Handler<typeof leftoversContract> = {
  contract: leftoversContract,
  replaceOn: [...HOST_REPLACES, "of"],
  ignore: HOST_IGNORES,
  create: async (_context, { instance, of }) => ({ id: `${instance}/remains/${of}`, outputs: {} }),
  update: async () => ({}),
  async delete(context, _id, { inputs }) {
    const machine = await sameMachine(context, inputs);
    if (!machine) return;
    const { signal } = context;
    const container = CONTAINERS[inputs.of];
    if (container)
      await untilGone(machine, "io.kubernetes.container.name", container, { signal, timeout: STOP_SECONDS });
    await machine.run(leftoversScript([inputs.of]), {
      step: `removing what ${inputs.of} left`,
      signal,
      timeout: CLEAN_SECONDS,
    });
  },
};

export const remainsResource = register(remains);
